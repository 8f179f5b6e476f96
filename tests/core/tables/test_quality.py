"""The rules behind the checks: they find what is planted, and nothing else."""

from typing import Any

import pytest

from itemeval_assets.core.tables.quality import errored_rows, parse_ok_violations, repeated_keys
from tests.rows import grading, solution, table


def test_sound_rows_break_no_rule() -> None:
    gradings = table(
        "gradings",
        [
            grading("q1"),
            grading("q2", score=None),
            grading("q2", epoch=2),
            grading("q3", score=None, parse_error=None, error="timeout"),
        ],
    )
    assert parse_ok_violations(gradings) == []
    assert repeated_keys("gradings", gradings) == []


@pytest.mark.parametrize(
    "values",
    [
        {"score": None, "parse_ok": True, "parse_error": None},
        {"score": None, "parse_ok": False, "parse_error": None},
        {"score": None, "parse_ok": True, "parse_error": "no_json_object"},
        {"score": 1.0, "parse_ok": False, "parse_error": None},
        {"score": 1.0, "parse_ok": False, "parse_error": "no_json_object"},
        {"score": 1.0, "parse_ok": True, "parse_error": "no_json_object"},
    ],
)
def test_each_contradiction_is_found(values: dict[str, Any]) -> None:
    gradings = table("gradings", [grading("q1"), grading("q2", epoch=3) | values])
    offence = {"item_id": "q2", "epoch": 3, "error": None, **values}
    assert parse_ok_violations(gradings) == [offence]


@pytest.mark.parametrize(
    ("name", "row", "key"),
    [
        ("solutions", solution(), {"condition_id": "g1", "item_id": "q1", "epoch": 1}),
        (
            "gradings",
            grading(),
            {"grade_condition_id": "j1", "gen_condition_id": "g1", "item_id": "q1", "epoch": 1},
        ),
    ],
)
def test_a_key_that_stands_twice_is_found(
    name: str, row: dict[str, Any], key: dict[str, Any]
) -> None:
    other = {**row, "item_id": "q2"}
    assert repeated_keys(name, table(name, [row, other, row])) == [key]
    assert repeated_keys(name, table(name, [row, other])) == []


def test_errors_are_shown_by_their_first_line() -> None:
    rows = table("solutions", [solution("q1"), solution("q2", 2, error="timeout\ntraceback")])
    assert errored_rows(rows) == [{"item_id": "q2", "epoch": 2, "error": "timeout"}]
    long = table("solutions", [solution(error="x" * 999)])
    assert len(errored_rows(long)[0]["error"]) == 200


@pytest.mark.parametrize("error", ["", "\n", "  \nx"])
def test_an_error_without_a_message_is_an_error(error: str) -> None:
    rows = table("solutions", [solution(error=error)])
    assert [row["item_id"] for row in errored_rows(rows)] == ["q1"]
