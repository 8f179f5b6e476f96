"""Braces that were probably meant as a placeholder are told; all others pass in silence."""

import pytest

from itemeval_assets.core.prompts.doubts import doubts_of_prompt, doubts_of_rubric
from itemeval_assets.core.prompts.templates import make_template

COLUMNS = ("topic", "Full name")


def prompt_doubts(text: str) -> list[str]:
    return list(doubts_of_prompt(make_template("mine", "mine.md", text), COLUMNS))


@pytest.mark.parametrize(
    ("text", "found", "meant"),
    [
        ("On {topc}: {input}", "topc", "topic"),
        ("On {Topic}.", "Topic", "topic"),
        ("On { topic }.", " topic ", "topic"),
        ("({full_name})", "full_name", "Full name"),
        ("{inputs}", "inputs", "input"),
    ],
)
def test_a_near_miss_is_told_with_what_is_meant(text: str, found: str, meant: str) -> None:
    expected = f"template 'mine': {{{found}}} is no placeholder and is sent as it stands"
    assert prompt_doubts(text) == [f"{expected}; {{{meant}}} is one"]


def test_two_braces_as_in_jinja_are_told() -> None:
    assert prompt_doubts("Q: {{input}} on {{topic}}, {{input}}") == [
        "template 'mine': of {{input}} the outer braces are sent, around the text of {input}; "
        "write {input}",
        "template 'mine': of {{topic}} the outer braces are sent, around the text of {topic}; "
        "write {topic}",
    ]
    rubric = make_template("strict", "strict.md", "{input} {{solution}}")
    [doubt] = doubts_of_rubric(rubric, COLUMNS)
    assert doubt.endswith("write {solution}")
    assert prompt_doubts(r"{input} \\text{{input}} x^{{input}}") == []


@pytest.mark.parametrize("name", ["target", "solution", "grading_scheme"])
def test_what_no_solver_is_shown_is_told(name: str) -> None:
    [doubt] = prompt_doubts(f"{{{name}}} {{input}}")
    assert doubt.endswith("is sent as it stands: no solver is shown it")


@pytest.mark.parametrize(
    "text",
    [
        "{topic} {input} {id} {Full name}",
        r"\\text{topics} \\frac{inputs}{topc} x^{ids} a_{topc}",
        '{"topc": 1, "topics": {"input": 2}}',
        "{} {1, 2} {x} {name} {{topc}} f{topc}",
        "def f(): {topc\n}",
    ],
)
def test_latex_json_and_code_pass_in_silence(text: str) -> None:
    assert prompt_doubts(text) == []


def test_a_rubric_knows_the_columns_and_what_judges_see() -> None:
    text = "{solution} {target} {grading_scheme} {input} {id} {topic} {targets}"
    [doubt] = doubts_of_rubric(make_template("strict", "strict.md", text), COLUMNS)
    assert doubt.startswith("template 'strict': {targets} ") and doubt.endswith("{target} is one")
