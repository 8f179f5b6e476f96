"""Templates: identity, placeholders, rendering."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.prompts.templates import (
    make_template,
    render,
    require_placeholders,
    split_at,
)

NASTY = st.text(st.sampled_from("{}inputdx \\n\n\r$\"'é😀"), max_size=40)


def test_the_hash_is_that_of_the_text_with_plain_line_ends() -> None:
    text = "Löse:\n\n{input}\n"
    template = make_template("mine", "mine.md", text)
    assert template.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert template.hash == template.sha256[:12]
    for raw in (text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        assert make_template("mine", "mine.md", raw) == template


@given(NASTY, NASTY)
def test_any_other_text_has_another_hash(text: str, other: str) -> None:
    one, two = make_template("a", "a.md", text), make_template("a", "a.md", other)
    assert (one.hash == two.hash) == (one.text == two.text)


def test_source() -> None:
    assert make_template("builtin:standard", "builtin:prompts/standard.md", "").source == "builtin"
    assert make_template("standard", "/p/standard.md", "").source == "local"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{input}", "2+2"),
        ("{input}{input} {id}", "2+22+2 q1"),
        (r"\frac{1}{2} {id}", r"\frac{1}{2} q1"),
        ('{"score": 1, "input": "{input}"}', '{"score": 1, "input": "2+2"}'),
        ("{Input} { input } {target} {}", "{Input} { input } {target} {}"),
        ("{{input}}", "{2+2}"),
        ("{input_2}", "{input_2}"),
        ("{braces}", "{id} {input}"),
        ("{a.b}", "dotted"),
        ("", ""),
    ],
)
def test_only_known_placeholders_are_replaced_and_nothing_twice(text: str, expected: str) -> None:
    values = {"input": "2+2", "id": "q1", "braces": "{id} {input}", "a.b": "dotted"}
    assert render(text, values) == expected


@given(NASTY)
def test_a_template_without_placeholders_passes_through(text: str) -> None:
    assert render(text, {"solution": "x", "scheme": "y"}) == text
    assert render(text, {}) == text


@given(st.lists(NASTY, max_size=4), NASTY)
def test_what_a_placeholder_brings_in_is_left_as_it_is(around: list[str], value: str) -> None:
    outside = [part.replace("{", "(") for part in around]
    assert render("{input}".join(outside), {"input": value, "id": "q1"}) == value.join(outside)


@given(NASTY)
def test_splitting_loses_nothing(text: str) -> None:
    head, tail = split_at(text, "input")
    assert head + tail == text
    assert tail.startswith("{input}") or tail == ""
    assert "{input}" not in head


def test_a_missing_placeholder_is_named() -> None:
    template = make_template("mine", "/p/mine.md", "Just {solution}.")
    require_placeholders(template, ("solution",))
    with pytest.raises(TemplateError, match=r"'mine' \(/p/mine.md\) lacks \{input\}, \{target\};"):
        require_placeholders(template, ("input", "solution", "target"))
