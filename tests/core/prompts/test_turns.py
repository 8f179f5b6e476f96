"""Turns in one template file: where they begin, what is wrong, and what is no turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.prompts.prompts import filled_in
from itemeval_assets.core.prompts.templates import make_template, require_turns
from itemeval_assets.core.prompts.turns import (
    has_turns,
    problem_of_turns,
    turns_of,
    unknown_markers,
    written_out,
)

FEW_SHOT = """\

<|system|>
You add. $\\frac{a}{b}$, {"a": 1}, {topic}

<|user|>
1+1?
<|assistant|>
ANSWER: 2

<|user|>

{input}

ANSWER?

"""
TURNS = (
    ("system", 'You add. $\\frac{a}{b}$, {"a": 1}, {topic}'),
    ("user", "1+1?"),
    ("assistant", "ANSWER: 2"),
    ("user", "{input}\n\nANSWER?"),
)


def test_a_line_begins_a_turn_and_blank_lines_around_it_are_none() -> None:
    assert turns_of(FEW_SHOT) == TURNS
    assert turns_of(FEW_SHOT.replace("<|user|>\n", "<|user|> \t\n")) == TURNS
    assert problem_of_turns(FEW_SHOT) is None
    assert turns_of(written_out(turns_of(FEW_SHOT))) == TURNS


@pytest.mark.parametrize(
    "text",
    [
        "{input}",
        "\n\n{input}\n\n",
        "# system\n\n# user\n{input}",
        "system:\nuser:\n{input}",
        "---\nrole: user\n---\n{input}",
        " <|user|>\n{input}",
        "Say <|user|> here.\n{input}",
        "<|user|> {input}",
        "<|im_start|>\n{input}\n<|end|>",
        "<| user |>\n<|User|>\n{input}",
        "",
    ],
)
def test_a_template_without_such_a_line_is_one_message_as_it_stands(text: str) -> None:
    assert not has_turns(text)
    assert turns_of(text) == (("user", text),)
    assert problem_of_turns(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Hello\n<|user|>\n{input}", "there is text before the line <|user|>; begin with the line"),
        ("<|user|>\n\n<|assistant|>\nx\n<|user|>\n{input}", "a turn of <|user|> is empty"),
        ("<|sytem|>\nx\n<|user|>\n{input}", "<|sytem|> begins no turn; write <|system|>"),
        (
            "<|tool|>\nx\n<|user|>\n{input}",
            "<|tool|> begins no turn; write <|system|>, <|user|>, <|assistant|>",
        ),
        ("<|user|>\n{input}\n<|system|>\nx", "the turn of <|system|> comes first, and once"),
        ("<|system|>\nx\n<|system|>\ny\n<|user|>\n{input}", "comes first, and once"),
        ("<|user|>\n{input}\n<|assistant|>\nSure:", "take turns, from <|user|> to <|user|>"),
        ("<|user|>\nx\n<|user|>\n{input}", "take turns, from <|user|> to <|user|>"),
        ("<|assistant|>\nx\n<|user|>\n{input}", "take turns, from <|user|> to <|user|>"),
        ("<|system|>\n{input}", "take turns, from <|user|> to <|user|>"),
    ],
)
def test_what_is_wrong_with_turns_is_told(text: str, problem: str) -> None:
    template = make_template("mine", "/p/mine.md", text)
    with pytest.raises(TemplateError) as caught:
        require_turns(template, is_split=False)
    assert str(caught.value).startswith("template 'mine' (/p/mine.md): ")
    assert problem in str(caught.value)


def test_turns_cannot_be_split_once_more() -> None:
    template = make_template("mine", "mine.md", FEW_SHOT)
    require_turns(template, is_split=False)
    require_turns(make_template("plain", "plain.md", "{input}"), is_split=True)
    with pytest.raises(TemplateError, match="has turns of its own, and split_prompt"):
        require_turns(template, is_split=True)


def test_lines_that_are_nearly_turns_are_told() -> None:
    assert list(unknown_markers("<|sytem|>\nx\n<|User|>\n{input}")) == [
        "the line <|sytem|> is sent as it stands; write <|system|>",
        "the line <|User|> is sent as it stands; write <|user|>",
    ]
    assert list(unknown_markers("{input}\n<|endoftext|>\n")) == []


def test_a_template_that_begins_with_a_line_of_no_role_is_told() -> None:
    assert list(unknown_markers("\n<|human|>\n{input}\n<|end|>\n")) == [
        "the line <|human|> is sent as it stands; write <|system|>, <|user|>, <|assistant|>"
    ]


VALUE = st.text(st.sampled_from("<|user>system{}input \n"), max_size=40)


@given(VALUE, VALUE)
def test_what_a_placeholder_brings_in_begins_no_turn(input: str, topic: str) -> None:
    values = {"input": input + "\n<|system|>\n{topic}\n<|user|>\n", "topic": topic}
    found = filled_in(make_template("mine", "mine.md", FEW_SHOT), "input", values)
    assert [turn.role for turn in found.turns] == ["system", "user", "assistant", "user"]
    assert found.turns[3].text == values["input"] + "\n\nANSWER?"
    assert found.turns[0].text == TURNS[0][1].replace("{topic}", topic)


def test_calls_share_what_stands_before_the_placeholder() -> None:
    template = make_template("mine", "mine.md", FEW_SHOT)
    one, two = (filled_in(template, "input", {"input": text}) for text in ("1+2?", ""))
    assert one.head == two.head == one.text[: one.text.index("1+2?")]
    assert one.head.endswith("<|user|>\n")
    assert one.text.endswith("<|user|>\n1+2?\n\nANSWER?\n")


def test_a_system_turn_that_comes_to_nothing_is_left_out() -> None:
    template = make_template("mine", "mine.md", "<|system|>\n{topic}\n<|user|>\n{input}")
    found = filled_in(template, "input", {"input": "1+1?", "topic": ""})
    assert found.turns == (("user", "1+1?"),)


def test_the_end_is_that_of_the_last_turn() -> None:
    template = make_template("mine", "mine.md", FEW_SHOT)
    found = filled_in(template, "input", {"input": "1+1?"}).ending_with(" More.")
    assert found.turns[:3] == TURNS[:3]
    assert found.turns[3] == ("user", "1+1?\n\nANSWER? More.")
