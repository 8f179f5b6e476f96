"""What a model is shown: the item, and for a judge nothing of who solved it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.conditions.conditions import GenerateCondition
from itemeval_assets.core.design.conditions.expansion import expand_design
from itemeval_assets.core.grading.grader import ModelCall
from itemeval_assets.core.grading.judges.judge_reply import FORMAT_NOTICE
from itemeval_assets.core.prompts.templates import make_template
from tests.rows import item
from tests.studies import study_yaml

PROMPT = "Head {id}.\n\n{input}\n\nTail."
RUBRIC = "A {input} B {target} C {grading_scheme} D {topic} E {id}\n\n{solution}\n\nEnd {input}."


def conditions(
    rubric: str = RUBRIC, prompt: str = PROMPT, **extra: Any
) -> tuple[tuple[GenerateCondition, ...], ModelCall]:
    config = StudyConfig.model_validate(study_yaml(extra=extra, models=["openai/gpt-5-mini"]))
    design = expand_design(
        config,
        {"short": make_template("short", "short.md", prompt)},
        {"strict": make_template("strict", "strict.md", rubric)},
    )
    judge = design.grade[-1].grader.call
    assert judge is not None
    return design.generate, judge


def test_a_solver_sees_the_item_and_neither_target_nor_scheme() -> None:
    [condition], _ = conditions()
    row = item("q1", input="What is {id}?", target="the target", grading_scheme="the scheme")
    prompt = condition.prompt_for(row)
    assert prompt.turns == (("user", "Head q1.\n\nWhat is {id}?\n\nTail."),)


def test_a_solver_sees_the_columns_that_its_template_names() -> None:
    mapping = {"metadata": ["topic", "Full name", "level", "note"]}
    text = r"{topic} \frac{level}{2} {Full name} {nil} {note}|{input}"
    [condition], _ = conditions(prompt=text, benchmark={"mapping": mapping})
    kept = {"topic": "{level} {input} {id}", "Full name": ["ä", None], "level": 3, "note": None}
    row = item("q1", input="1+1?", metadata_json=json.dumps(kept))
    prompt = condition.prompt_for(row)
    assert prompt.text == r"{level} {input} {id} \frac3{2} [" + '"ä", null] {nil} |1+1?'
    assert condition.payload["prompt"]["columns"] == ["Full name", "level", "note", "topic"]


@pytest.mark.parametrize("name", ["target", "grading_scheme", "solution", "input", "id"])
def test_no_column_shows_a_solver_what_only_judges_see_or_stands_in_for_the_item(
    name: str,
) -> None:
    mapping = {"metadata": ["target", "grading_scheme", "solution", "input", "id"]}
    text = f"{{input}} {{id}} <{{{name}}}>"
    [condition], _ = conditions(prompt=text, benchmark={"mapping": mapping})
    forged = json.dumps(dict.fromkeys(mapping["metadata"], "forged"))
    shown = condition.prompt_for(item("q1", input="in", metadata_json=forged)).text
    assert "forged" not in shown
    assert "columns" not in condition.payload["prompt"]


def test_a_column_that_the_stored_item_lacks_leaves_the_braces() -> None:
    """Items that were stored before the column was mapped are never shown: but none may fail."""
    [condition], _ = conditions(prompt="{topic}{input}")
    assert condition.prompt_for(item(input="x", metadata_json="{}")).text == "{topic}x"


def test_a_judge_sees_the_item_the_solution_and_metadata() -> None:
    _, judge = conditions()
    row = item(
        "q1",
        input="2+2?",
        target="4",
        grading_scheme="1 point",
        metadata_json=json.dumps({"topic": "sums"}),
    )
    prompt = judge.prompt_for(row, "It is {target}.")
    expected = "A 2+2? B 4 C 1 point D sums E q1\n\nIt is {target}.\n\nEnd 2+2?."
    assert prompt.text == expected + FORMAT_NOTICE


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("sums", "sums"),
        (7, "7"),
        (["a", "ä"], '["a", "ä"]'),
        (True, "true"),
        (None, ""),
        (float("nan"), ""),
        ([None, 1], "[null, 1]"),
        ({"a": None}, '{"a": null}'),
        ("null", "null"),
    ],
)
def test_metadata_of_any_type(value: object, shown: str) -> None:
    _, judge = conditions(rubric="{input}{solution}{topic}")
    row = item(input="", metadata_json=json.dumps({"topic": value}))
    assert judge.prompt_for(row, None).text == shown + FORMAT_NOTICE


def test_metadata_cannot_stand_in_for_the_item() -> None:
    _, judge = conditions(rubric="{input}|{solution}|{target}|{id}")
    forged = dict.fromkeys(["input", "solution", "target", "id"], "forged")
    row = item("q1", input="in", target="tg", metadata_json=json.dumps(forged))
    assert judge.prompt_for(row, "so").text == "in|so|tg|q1" + FORMAT_NOTICE


def test_a_blank_solution_and_a_missing_scheme_are_empty() -> None:
    _, judge = conditions(rubric="<{input}><{solution}><{grading_scheme}>")
    assert judge.prompt_for(item(input="x"), None).text == "<x><><>" + FORMAT_NOTICE


def test_split_layouts_show_the_same_text_in_two_messages() -> None:
    [plain], judge = conditions()
    [split], split_judge = conditions(
        solvers={"split_prompt": True},
        facets={"grader": ["j"]},
        graders={"j": {"model": "mockllm/judge", "split_rubric": True}},
    )
    row = item("q1", input="2+2?")
    prompt = split.prompt_for(row)
    assert prompt.turns == (("system", "Head q1.\n\n"), ("user", "2+2?\n\nTail."))
    assert prompt.text == plain.prompt_for(row).text
    judged = split_judge.prompt_for(row, "{solution}")
    system, user = judged.turns
    assert system.role == "system" and system.text.endswith("E q1\n\n")
    assert user.role == "user" and user.text.startswith("{solution}\n")
    assert judged.text == judge.prompt_for(row, "{solution}").text


def test_a_head_may_hold_the_rest_of_the_item() -> None:
    _, judge = conditions(
        rubric="{input}/{target}\n{solution}",
        facets={"grader": ["j"]},
        graders={"j": {"model": "mockllm/judge", "split_rubric": True}},
    )
    prompt = judge.prompt_for(item(input="i", target="t"), "s")
    assert prompt.turns == (("system", "i/t\n"), ("user", "s" + FORMAT_NOTICE))


@pytest.mark.parametrize("split", [False, True])
def test_all_calls_of_a_solver_share_the_whole_prompt(split: bool) -> None:
    [condition], _ = conditions(solvers={"split_prompt": split})
    prompt = condition.prompt_for(item("q1", input="2+2?"))
    assert prompt.head == prompt.text == "Head q1.\n\n2+2?\n\nTail."


@pytest.mark.parametrize("split", [False, True])
def test_judgements_of_an_item_share_the_rubric_before_the_solution(split: bool) -> None:
    _, judge = conditions(
        facets={"grader": ["j"]},
        graders={"j": {"model": "mockllm/judge", "split_rubric": split}},
    )
    row = item("q1", input="2+2?", metadata_json=json.dumps({"topic": "sums"}))
    prompts = [judge.prompt_for(row, solution) for solution in ("4", "{input}", None)]
    assert {prompt.head for prompt in prompts} == {"A 2+2? B 4 C  D sums E q1\n\n"}
    assert len({prompt.text for prompt in prompts}) == 3
    assert all(prompt.text.startswith(prompt.head) for prompt in prompts)


def test_a_rubric_that_begins_with_the_solution_has_no_head() -> None:
    _, judge = conditions(rubric="{solution}{input}")
    assert judge.prompt_for(item(), "4").head == ""


@given(st.text(), st.text(), st.text())
def test_the_judges_prompt_depends_on_item_and_solution_alone(
    input: str, target: str, solution: str
) -> None:
    """So nothing in it can tell which model, prompt or replication the solution is of."""
    _, judge = conditions()
    row = item(input=input, target=target)
    shown = judge.prompt_for(row, solution).text
    others = item(input=input, target=target, dataset_id="other", dataset_revision="other")
    assert judge.prompt_for(others, solution).text == shown
    blank = judge.prompt_for(item(input="", target=""), "").text
    for name in ("openai", "gpt-5-mini", "mockllm", "default", "toy"):
        assert name not in blank
