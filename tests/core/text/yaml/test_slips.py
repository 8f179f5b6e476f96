"""A slip in the YAML is named with its line, where the parser names what it met after it."""

import pytest
import yaml

from itemeval_assets.core.text.yaml.strict import StrictLoader, load_yaml, yaml_message

NO_BLANK = "lacks a blank after its colon"
INDENTATION = "the indentation of line 3 fits no line above it: begin it below the first letter"
BRACKET = "the bracket of line 1 is not closed, or a comma is missing in it"
TEXT_AFTER = "text follows a closing quotation mark in line 1: put quotes around all of it"
BACKSLASH = "line 1 has a backslash in double quotes"
VARIABLE = "line 1 names an environment variable, and none is filled in"
QUOTES = "put quotes around the value in line 1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("study:my\n\n# a comment: here\nsolvers:\n  models: [a]\n", f"line 1 {NO_BLANK}"),
        ("a: 1\nb:\n  c:1\n  d: [a]\n", f"line 3 {NO_BLANK}"),
        ("a:\n  b: [a]\n  c:1\n", f"line 3 {NO_BLANK}"),
        ("a: 1\nfoo\nb: 2\n", "line 2 has no colon: write `key: value`"),
        ("a:\n-b\n-c\nd: 1\n", "line 2 lacks a blank after its dash"),
        ("study: my: x\n", "a value in line 1 holds a colon: put quotes around the value"),
        (
            "study: my\n  solvers: 1\n",
            "line 2 is indented deeper than line 1, which has a value already",
        ),
        ("a:\n    b: 1\n  c: 2\n", INDENTATION),
        ("a:\n  - b\n - c\n", INDENTATION),
        ("a:\n - b\n c: 1\n", INDENTATION),
        ("a: [b, c\nd: 1\ne: 2\n", BRACKET),
        ("a: {b: 1\nd: 1\n", BRACKET),
        ("a: [b, c\n", BRACKET),
        ("a: [b]]\n", "line 1 has a closing bracket, or a comma, too many"),
        ('a: "b\nc: 1\n', "the quotation mark of line 1 is never closed"),
        ("a: 'it's'\n", TEXT_AFTER),
        ('a: "b" c\n', TEXT_AFTER),
        ("a: @b\n", QUOTES),
        ("a: *.csv\n", QUOTES),
        ("a: *all\n", QUOTES),
        ("a: !x y\n", QUOTES),
        ('a: "C:\\path"\n', BACKSLASH),
        ('a: "C:\\Users"\n', BACKSLASH),
        ('a: "C:\\x"\n', BACKSLASH),
        ("a: [${B}, c]\n", VARIABLE),
        ("a: {b: ${B}}\n", VARIABLE),
        (
            "a:\n  b: 1\n<<<<<<< HEAD\n  c: 1\n=======\n  c: 2\n>>>>>>> other\nd: 3\n",
            "line 3 holds the mark of a merge that is not finished: decide between both versions",
        ),
        ("a:\n  b: [c]\n=======\n  d: 1\n>>>>>>> other\n", "line 3 holds the mark of a merge"),
        ("a: 1\n---\nb: 2\n", "line 2 begins a second document"),
    ],
)
def test_a_slip_is_told_with_its_line_before_the_words_of_the_parser(text: str, told: str) -> None:
    with pytest.raises(yaml.YAMLError) as raised:
        load_yaml(text, StrictLoader)
    message = yaml_message(raised.value)
    assert message.startswith(told) and " (YAML, line " in message


def test_of_bytes_the_slip_is_told_too() -> None:
    with pytest.raises(yaml.YAMLError) as raised:
        load_yaml(b"study:my\nsolvers: 1\n")
    assert yaml_message(raised.value).startswith(f"line 1 {NO_BLANK}")
