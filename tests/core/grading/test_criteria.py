"""Rubrics with criteria: what their first lines say, and what a reply says of each criterion."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.errors import TemplateError
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.grading.judges.criteria_reply import (
    criteria_notice,
    criteria_schema,
    criterion_verdict,
    total_verdict,
)
from itemeval_assets.core.grading.judges.judge import JudgeConfig
from itemeval_assets.core.prompts.criteria import Criterion, body_of, criteria_of
from itemeval_assets.core.prompts.templates import Template, make_template

BODY = "Grade.\n{input}\n{solution}\n"
NAMES = ("correct", "clear")


def rubric(front: str, body: str = BODY) -> Template:
    return make_template("essay", "/p/essay.md", front + body)


def graders(front: str, **config: Any) -> list[Grader]:
    return JudgeConfig(model="mockllm/judge", **config).graders("judge", [rubric(front)])


@pytest.mark.parametrize(
    ("front", "criteria"),
    [
        ("---\ncriteria: [correct, clear]\n---\n", [("correct", None), ("clear", None)]),
        ("---\ncriteria: {a: [0, 6], b: }\n---\n\n", [("a", (0.0, 6.0)), ("b", None)]),
        ("--- \ncriteria:\n  - a-1\n  - a_2\n---\t\n", [("a-1", None), ("a_2", None)]),
    ],
)
def test_the_first_lines_name_criteria(front: str, criteria: list[Any]) -> None:
    found = rubric(front)
    assert list(criteria_of(found)) == [Criterion(*one) for one in criteria]
    assert body_of(found).text == BODY
    assert body_of(found).hash == found.hash  # that of the whole file


@pytest.mark.parametrize(
    "front",
    ["", "---\ntitle: x\n---\n", "---\n", "\n---\ncriteria: [a, b]\n---\n", "criteria: [a]\n"],
)
def test_another_rubric_is_sent_as_it_stands(front: str) -> None:
    found = rubric(front)
    assert criteria_of(found) == () and body_of(found) is found
    [judge] = graders(front)
    assert judge.payload["format"] and "criteria_format" not in judge.payload


WRONG = {
    "criteria: [a": "its first lines are no YAML",
    "criteria: a, b": "criteria: found 'a, b'; write criteria: {correct: [0, 6], clear: [0, 4]}",
    "criteria:": "criteria: found 'None'",
    "criteria: [a]": "criteria: name 2 to 20; found 1. A rubric with one score",
    "criteria: {a: }": "criteria: name 2 to 20; found 1. A rubric with one score",
    f"criteria: [{', '.join(f'c{n}' for n in range(21))}]": "name 2 to 20; found 21",
    "criteria: [a, a]": "criteria: a and a are the same name; keep one",
    "criteria: {a-b: , A_B: }": "criteria: a-b and A_B are the same name; keep one",
    "criteria: [a, b c]": "criteria: 'b c' is no name; a letter comes first",
    "criteria: {a: , 1: }": "criteria: '1' is no name",
    "criteria: [a, [b]]": "is no name",
    "criteria: [a, score]": "criteria: 'score' means something else here",
    "criteria: {a: 10, b: }": "criteria.a: give the lowest and the highest score",
    f"criteria: {{a: [0, {'9' * 400}], b: }}": "criteria.a: give the lowest and the highest score",
    "criteria: {a: [5, 0], b: }": "criteria.a: the lowest score comes first: write [0, 5]",
    "criteria: {a: , a: }": "the key 'a' is given twice",
    "criteria: [a, b]\nweights: [1, 2]": "'weights' stands beside criteria; remove it",
    "criteria: [a, b]\n- c": "its first lines are no YAML",
}


@pytest.mark.parametrize(("front", "message"), WRONG.items())
def test_wrong_criteria_are_told_with_their_file(front: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        criteria_of(rubric(f"---\n{front}\n---\n"))
    assert str(error.value).startswith("template 'essay' (/p/essay.md): ")
    assert message in str(error.value)


def test_first_lines_that_nothing_ends_are_told() -> None:
    with pytest.raises(TemplateError, match="no line --- ends its first lines"):
        criteria_of(rubric("---\ncriteria: [a, b]\n"))


def test_a_judge_with_criteria_is_a_total_and_a_grader_for_each() -> None:
    front = "---\ncriteria: {correct: [0, 6], clear: }\n---\n"
    found = graders(front, scale=[0, 4], repeats=2)
    assert [(one.slug_parts, one.scale, one.repeat) for one in found] == [
        (["judge", "essay"], (0, 10), 1),
        (["judge", "essay", "correct"], (0, 6), 1),
        (["judge", "essay", "clear"], (0, 4), 1),
        (["judge", "essay"], (0, 10), 2),
        (["judge", "essay", "correct"], (0, 6), 2),
        (["judge", "essay", "clear"], (0, 4), 2),
    ]
    total, correct, *_ = found
    assert total.call and not correct.call and correct.asked is total.call
    assert correct.payload == {**total.payload, "criterion": "correct"}
    assert correct.criterion and correct.criterion.total == total
    # One that has no scale leaves the total without one.
    assert [one.scale for one in graders(front)] == [None, (0, 6), None]


def test_what_a_judge_is_told_can_be_read_back() -> None:
    criteria = (Criterion("correct", (0.0, 6.0)), Criterion("clear"))
    notice = criteria_notice(criteria)
    form = notice.split("```json")[1].split("```")[0]
    assert json.loads(form.replace("<number from 0 to 6>", "1").replace("<number>", "2")) == {
        "correct": {"score": 1, "reasoning": "<why>"},
        "clear": {"score": 2, "reasoning": "<why>"},
    }
    assert criteria_schema(criteria)["required"] == list(NAMES)
    total, *parts = graders("---\ncriteria: {correct: [0, 6], clear: [0, 4]}\n---\n")
    assert total.call
    reply = total.call.mock_reply(1.0)
    assert total.call.verdict_of(reply).score == 10
    assert [one.criterion and one.criterion.verdict_of(reply).score for one in parts] == [6, 4]


REPLIES: dict[str, tuple[str, list[float | str], float | str]] = {
    "both": (
        '{"correct": {"score": 4, "reasoning": "r"}, "clear": {"score": "2.5"}}',
        [4, 2.5],
        6.5,
    ),
    "plain numbers": ('{"correct": 4, "clear": 2}', [4, 2], 6),
    "fenced, after a draft": (
        '{"correct": 1, "clear": 1}\n```json\n{"correct": 2, "clear": 2}\n```',
        [2, 2],
        4,
    ),
    "all before some": ('{"correct": 1, "clear": 2} {"correct": 9}', [1, 2], 3),
    "inside another object": ('{"scores": {"correct": 1, "clear": 2}}', [1, 2], 3),
    "one is missing": ('{"correct": 1}', [1, "no_score_in_json"], "criterion_without_score"),
    "one has no score": (
        '{"correct": 1, "clear": {"points": 2}}',
        [1, "no_score_in_json"],
        "criterion_without_score",
    ),
    "one is no number": (
        '{"correct": 1, "clear": {"score": "2/4"}}',
        [1, "score_not_numeric"],
        "criterion_without_score",
    ),
    "one is null": (
        '{"correct": 1, "clear": null}',
        [1, "score_not_numeric"],
        "criterion_without_score",
    ),
    "one is endless": (
        '{"correct": 1e999, "clear": 1}',
        ["score_not_finite", 1],
        "criterion_without_score",
    ),
    "their sum is endless": (
        '{"correct": 1e308, "clear": 1e308}',
        [1e308, 1e308],
        "score_not_finite",
    ),
    "an ordinary score": ('{"score": 3}', ["no_score_in_json"] * 2, "no_score_in_json"),
    "prose": ("well done", ["no_json_object"] * 2, "no_json_object"),
}


@pytest.mark.parametrize(("reply", "each", "total"), REPLIES.values(), ids=REPLIES)
def test_a_reply_has_a_verdict_of_each_criterion_and_of_the_total(
    reply: str, each: list[float | str], total: float | str
) -> None:
    found = [criterion_verdict(name, NAMES, reply) for name in NAMES]
    assert [one.score if one.parse_ok else one.parse_error for one in found] == each
    whole = total_verdict(NAMES, reply)
    assert (whole.score if whole.parse_ok else whole.parse_error) == total


def test_the_total_tells_of_each_criterion() -> None:
    reply = '{"correct": {"score": 4, "reasoning": "right"}, "clear": {"reasoning": "no"}}'
    found = total_verdict(NAMES, reply)
    assert found.score_raw == '{"correct": 4.0, "clear": null}'
    reply = (
        '{"correct": {"score": 4, "reasoning": "right"}, "clear": {"score": 1, "reasoning": "no"}}'
    )
    assert total_verdict(NAMES, reply).reasoning == "correct: right\nclear: no"
    assert criterion_verdict("clear", NAMES, reply).reasoning == "no"


@given(st.text() | st.none() | st.integers(1, 9).map(lambda n: '{"correct": ' * (n * 10_000)))
def test_no_reply_is_too_strange(reply: str | None) -> None:
    for found in (
        *(criterion_verdict(name, NAMES, reply) for name in NAMES),
        total_verdict(NAMES, reply),
    ):
        assert found.parse_ok == (found.score is not None)
