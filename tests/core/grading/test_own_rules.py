"""Own scorers by rules: regex, contains and json, as entries of `scorers:` make them."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.grading.kinds import SCORERS, TYPES
from itemeval_assets.core.grading.verdict import Verdict

FENCED = 'So:\n```json\n{"a": {"b": [1, "Paris"]}, "n": 0.5}\n```'


def scorer_of(**entry: Any) -> Grader:
    return TYPES[entry["type"]].model_validate(entry).scorer("mine", None)


def verdict(solution: str | None, target: str, **entry: Any) -> Verdict:
    rules = scorer_of(**entry).rules
    assert rules is not None
    return rules({"target": target}, solution)


def said(found: Verdict) -> float | str | None:
    """The score, or why there is none."""
    return found.parse_error if found.score is None else found.score


def regex(solution: str | None, target: str, pattern: str, **keys: Any) -> float | str | None:
    return said(verdict(solution, target, type="regex", pattern=pattern, **keys))


@pytest.mark.parametrize(
    ("solution", "target", "pattern", "keys", "expected"),
    [
        ("x is 4, y is 5", "5", r"is (\d+)", {}, 1.0),
        ("x is 4, y is 5", "4", r"is (\d+)", {"match": "first"}, 1.0),
        ("x is 4, y is 5", "4", r"is (\d+)", {"match": "last"}, 0.0),
        ("City: PARIS.", "paris", r"City: (.+)", {}, 1.0),
        ("yes", "YES", "yes|no", {}, 1.0),
        ("a=1 b=2", "a=1 b=2", r"a=(\d) b=(\d)", {"group": 0}, 1.0),
        ("a=1 b=2", "2", r"a=(\d) b=(\d)", {"group": 2}, 1.0),
        ("a=1 b=2", "2", r"a=(\d) b=(?P<b>\d)", {"group": "b"}, 1.0),
        ("RESULT 7", "7", r"result (\d)", {}, "no_match"),
        ("RESULT 7", "7", r"result (\d)", {"flags": "i"}, 1.0),
        ("a\nb 3\nc", "3", r"^b (\d)$", {}, "no_match"),
        ("a\nb 3\nc", "3", r"^b (\d)$", {"flags": "m"}, 1.0),
        ("<a>x\ny</a>", "x y", "<a>(.*)</a>", {}, "no_match"),
        ("<a>x\ny</a>", "x y", "<a>(.*)</a>", {"flags": "is"}, 1.0),
        ("only b", "b", "(a)|b", {}, "no_match"),  # the group takes no part
        ("né", "NÉ", r"(\pL+)", {}, 1.0),
        (None, "5", r"(\d)", {}, "no_match"),
        ("it is 4", "4", r"(\d*)", {}, 1.0),  # not the nothing at the end
        ("it is four", "4", r"(\d*)", {}, "no_match"),
        ("5", "", r"(\d)", {}, "empty_target"),
        ("\ud800 5", "5", r"(\d)", {}, 1.0),
    ],
)
def test_regex(solution: str, target: str, pattern: str, keys: dict[str, Any], expected: Any):
    assert regex(solution, target, pattern, **keys) == expected


def test_a_pattern_that_python_would_never_end_with_ends_at_once() -> None:
    start = time.monotonic()
    assert regex("a" * 100_000 + "b", "x", "^(a+)+$") == "no_match"
    assert regex("1 " * 100_000 + "7", "7", r"(\d+)") == 1.0
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("solution", "target", "keys", "expected"),
    [
        ("The capital is Paris, of course", "paris", {}, 1.0),
        ("The capital is Paris", "paris", {"ignore_case": False}, 0.0),
        ("The capital is Paris", "Paris", {"ignore_case": False}, 1.0),
        ("New\n  York  City", "new york", {}, 1.0),
        ("it’s so", "it's", {}, 1.0),
        ("Lyon or Paris?\nANSWER: Lyon", "Paris", {}, 0.0),
        ("cafe\u0301", "CAFÉ", {}, 1.0),
        ("anything", " ", {}, "empty_target"),
        (None, "x", {}, 0.0),
    ],
)
def test_contains(solution: str, target: str, keys: dict[str, Any], expected: Any) -> None:
    assert said(verdict(solution, target, type="contains", **keys)) == expected


def test_marks_without_end_take_no_time() -> None:
    start = time.monotonic()
    text = "a" + "\u0301\u0316" * 200_000
    assert said(verdict(text, "b", type="contains")) == 0.0
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("solution", "target", "keys", "expected"),
    [
        (FENCED, "paris", {"path": "a.b.1"}, 1.0),
        (FENCED, "1", {"path": ["a", "b", 0]}, 1.0),
        (FENCED, "1/2", {"path": "n", "comparison": "numeric"}, 1.0),
        (FENCED, "1/2", {"path": "n"}, 0.0),
        (FENCED, "x", {"path": "a.c"}, "no_such_path"),
        (FENCED, "x", {"path": "a.b.2"}, "no_such_path"),
        (FENCED, "x", {"path": "a.b.99999999999999999999"}, "no_such_path"),
        (FENCED, "x", {"path": "a.b"}, "not_one_value"),
        ("no object", "x", {"path": "a"}, "no_json_object"),
        (None, "x", {"path": "a"}, "no_json_object"),
        ('{"a": 1} then {"a": 2} then {"b": 3}', "2", {"path": "a"}, 1.0),
        ('```\n{"a": 1}\n``` then {"a": 2}', "1", {"path": "a"}, 1.0),
        ('{"a": {"a.b": "x"}}', "x", {"path": ["a", "a.b"]}, 1.0),
        ('{"t": true, "z": null}', "true", {"path": "t"}, 1.0),
        ('{"t": true, "z": null}', "null", {"path": "z"}, 1.0),
        (r'{"a": "\dfrac{3}{4}"}', "0.75", {"path": "a", "comparison": "numeric"}, 1.0),
        ('{"a": "4 or 5"}', "4", {"path": "a", "comparison": "numeric"}, "no_number_found"),
        ('{"a": 1e999}', "4", {"path": "a", "comparison": "numeric"}, "no_number_found"),
        (f'{{"a": {"9" * 5000}}}', "4", {"path": "a"}, 0.0),
        ('{"a": 4}', "four", {"path": "a", "comparison": "numeric"}, "target_not_numeric"),
    ],
)
def test_json(solution: str, target: str, keys: dict[str, Any], expected: Any) -> None:
    assert said(verdict(solution, target, type="json", **keys)) == expected


ENTRIES = st.sampled_from(
    [
        {"type": "regex", "pattern": r"(\w+)"},
        {"type": "contains"},
        {"type": "json", "path": "a.0", "comparison": "numeric"},
        {"type": "json", "path": "a"},
    ]
)
TEXTS = (
    st.text()
    | st.text(st.characters(categories=["Cs", "Mn", "Nd"]))
    | st.sampled_from(['{"a": ' * 2000, '{"a": [' + "[" * 5000, '{"a": "\\x"}', '{"a": NaN}'])
)


@given(ENTRIES, st.none() | TEXTS, TEXTS)
def test_no_answer_and_no_target_makes_them_raise(
    entry: dict[str, Any], solution: str | None, target: str
) -> None:
    found = verdict(solution, target, **entry)
    assert found.parse_ok == (found.score in (0.0, 1.0))


def test_what_defines_a_scorer_is_in_its_payload_and_its_defaults_are_not() -> None:
    def payload(**entry: Any) -> Any:
        return scorer_of(**entry).payload

    plain = payload(type="regex", pattern="a")
    assert plain == {"scorer": "mine", "definition": {"type": "regex", "pattern": "a"}}
    same = {"match": "last", "group": None, "flags": None, "scale": [0, 5]}
    assert payload(type="regex", pattern="a", **same) == plain
    assert payload(type="regex", pattern="a", flags="si") == payload(
        type="regex", pattern="a", flags="is"
    )
    others = [
        payload(type="regex", pattern="b"),
        payload(type="regex", pattern="a", flags="i"),
        payload(type="regex", pattern="a", match="first"),
        payload(type="regex", pattern="a", group=0),
        payload(type="contains"),
        payload(type="contains", ignore_case=False),
        payload(type="json", path="a"),
        payload(type="json", path="a", comparison="numeric"),
    ]
    assert all(other != plain for other in others)
    assert len({str(other) for other in others}) == len(others)


def test_the_scale_is_that_of_scorers_unless_set_and_the_version_follows_the_comparison() -> None:
    assert scorer_of(type="contains").scale == (0.0, 1.0)
    assert scorer_of(type="contains", scale=[0, 5]).scale == (0.0, 5.0)
    exact, numeric = (SCORERS[name].versions[0] for name in ("exact_match", "numeric"))
    assert scorer_of(type="regex", pattern="a").versions == (f"1.{exact}",)
    assert scorer_of(type="json", path="a").versions == (f"1.{exact}",)
    assert scorer_of(type="json", path="a", comparison="numeric").versions == (f"1.{numeric}",)
