"""The keyed upsert: which row stays, and what becomes of the others."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itemeval_assets.core.tables.schemas import GRADINGS, LEDGER, LOG_INDEX, SOLUTIONS
from itemeval_assets.core.tables.upsert import Upserted, upsert
from tests.rows import grading, solution, table

# From worst to best.
ERROR: dict[str, Any] = {"text": None, "error": "timeout"}
BLANK: dict[str, Any] = {"text": None}
ANSWER: dict[str, Any] = {"text": "4"}
QUALITIES = (ERROR, BLANK, ANSWER)


def merge(stored: list[dict[str, Any]], new: list[dict[str, Any]]) -> Upserted:
    return upsert(SOLUTIONS, table("solutions", stored), table("solutions", new))


def uuids(rows: pa.Table) -> list[str]:
    return rows["sample_uuid"].to_pylist()


def rank(row: dict[str, Any]) -> int:
    if row["error"] is not None:
        return 0
    return 2 if (row["solution"] or "").strip() else 1


@st.composite
def batches(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """Batches of rows over a few keys, each row with a uuid of its own."""
    cell = st.tuples(st.sampled_from(["q1", "q2", "Q", "é"]), st.integers(1, 2))
    drawn = draw(st.lists(st.lists(st.tuples(cell, st.integers(0, 2)), max_size=5), max_size=4))
    number = 0
    found = []
    for rows in drawn:
        found.append([])
        for (item_id, epoch), quality in rows:
            number += 1
            found[-1].append(
                solution(item_id, epoch, **QUALITIES[quality], sample_uuid=f"u{number}")
            )
    return found


@pytest.mark.parametrize("old", [0, 1, 2])
@pytest.mark.parametrize("new", [0, 1, 2])
def test_the_better_row_stays_and_among_equals_the_newer(old: int, new: int) -> None:
    result = merge(
        [solution(**QUALITIES[old], sample_uuid="old")],
        [solution(**QUALITIES[new], sample_uuid="new")],
    )
    winner, loser = ("new", "old") if new >= old else ("old", "new")
    assert (uuids(result.rows), uuids(result.replaced)) == ([winner], [loser])


@pytest.mark.parametrize("blank", ["", " \n\t", None])
def test_white_space_is_no_answer(blank: str | None) -> None:
    result = merge([solution(sample_uuid="old")], [solution(text=blank, sample_uuid="new")])
    assert uuids(result.rows) == ["old"]


def test_an_error_counts_more_than_the_text_beside_it() -> None:
    result = merge([solution(**BLANK, sample_uuid="old")], [solution(error="x", sample_uuid="new")])
    assert uuids(result.rows) == ["old"]


@settings(max_examples=12)
@given(batches())
def test_keys_are_unique_and_sorted_and_every_call_is_accounted_for(
    found: list[list[dict[str, Any]]],
) -> None:
    stored, lost = table("solutions"), []
    for rows in found:
        result = upsert(SOLUTIONS, stored, table("solutions", rows))
        stored = result.rows
        lost += uuids(result.replaced)
    keys = [(row["item_id"], row["epoch"]) for row in stored.to_pylist()]
    assert keys == sorted(set(keys))
    assert sorted(uuids(stored) + lost) == sorted(
        row["sample_uuid"] for rows in found for row in rows
    )


@settings(max_examples=12)
@given(batches())
def test_idempotent(found: list[list[dict[str, Any]]]) -> None:
    stored = table("solutions")
    for rows in found:
        once = upsert(SOLUTIONS, stored, table("solutions", rows))
        twice = upsert(SOLUTIONS, once.rows, table("solutions", rows))
        assert twice.rows.equals(once.rows)
        assert set(uuids(twice.replaced)) <= set(uuids(once.replaced))
        stored = once.rows


@settings(max_examples=12)
@given(batches(), st.randoms(use_true_random=False))
def test_the_order_of_the_batches_matters_only_among_equals(
    found: list[list[dict[str, Any]]], random: Any
) -> None:
    def qualities(order: list[list[dict[str, Any]]]) -> dict[Any, int]:
        stored = table("solutions")
        for rows in order:
            stored = upsert(SOLUTIONS, stored, table("solutions", rows)).rows
        return {(row["item_id"], row["epoch"]): rank(row) for row in stored.to_pylist()}

    best: dict[Any, int] = {}
    for row in (row for rows in found for row in rows):
        cell = (row["item_id"], row["epoch"])
        quality = 0 if row.get("error") else (2 if row["solution"] else 1)
        best[cell] = max(best.get(cell, 0), quality)
    shuffled = random.sample(found, len(found))
    assert qualities(found) == qualities(shuffled) == best


@settings(max_examples=12)
@given(batches())
def test_one_batch_or_many_make_no_difference(found: list[list[dict[str, Any]]]) -> None:
    stored = table("solutions")
    for rows in found:
        stored = upsert(SOLUTIONS, stored, table("solutions", rows)).rows
    together = merge([], [row for rows in found for row in rows]).rows
    assert together.equals(stored)


def test_a_row_stored_again_has_not_been_replaced() -> None:
    row = solution(sample_uuid="u1")
    result = merge([row], [{**row, "latency_s": 3.0}])
    assert result.rows["latency_s"].to_pylist() == [3.0]
    assert result.replaced.num_rows == 0


def test_a_row_without_a_call_is_forgotten() -> None:
    result = merge([solution(sample_uuid=None)], [solution(sample_uuid="new")])
    assert (uuids(result.rows), result.replaced.num_rows) == (["new"], 0)


def grade(stored: list[dict[str, Any]], new: list[dict[str, Any]]) -> Upserted:
    return upsert(GRADINGS, table("gradings", stored), table("gradings", new))


def test_a_parse_failure_is_a_result() -> None:
    old, failed = grading(sample_uuid="old"), grading(score=None, sample_uuid="new")
    assert uuids(grade([old], [failed]).rows) == ["new"]
    assert uuids(grade([failed], [old]).rows) == ["old"]


def test_a_blank_reply_does_not_replace_a_verdict() -> None:
    blank = grading(score=None, judge_completion=None, sample_uuid="new")
    assert uuids(grade([grading(sample_uuid="old")], [blank]).rows) == ["old"]


def test_a_scorer_gives_no_reply_and_its_newer_verdict_stays() -> None:
    scored: dict[str, Any] = dict.fromkeys(["judge_completion", "sample_uuid", "log_file"])
    result = grade([grading(score=0.0, **scored)], [grading(score=1.0, **scored)])
    assert result.rows["score"].to_pylist() == [1.0]


def test_a_parse_failure_under_newer_rules_replaces_a_sound_verdict_of_older_ones() -> None:
    scored: dict[str, Any] = dict.fromkeys(["judge_completion", "sample_uuid", "log_file"])
    old = grading(score=1.0, scorer_name="numeric", scorer_version=None, **scored)
    new = grading(score=None, scorer_name="numeric", scorer_version="2", **scored)
    [row] = grade([old], [new]).rows.to_pylist()
    assert (row["score"], row["scorer_version"]) == (None, "2")


@pytest.mark.parametrize(
    "new",
    [
        {"sample_uuid": "new"},
        {"sample_uuid": "new", "score": None},
        {"sample_uuid": "new", "score": None, "judge_completion": None},
    ],
)
def test_any_grading_of_the_present_solution_replaces_a_stale_one(new: dict[str, Any]) -> None:
    result = grade([grading(of="5", sample_uuid="old")], [grading(of="4", **new)])
    assert (uuids(result.rows), uuids(result.replaced)) == (["new"], ["old"])


def test_a_failed_call_does_not_replace_a_stale_grading() -> None:
    failed = grading(of="4", score=None, parse_error=None, error="timeout", sample_uuid="new")
    result = grade([grading(of="5", sample_uuid="old")], [failed])
    assert (uuids(result.rows), uuids(result.replaced)) == (["old"], ["new"])


def test_other_solutions_of_the_condition_do_not_make_a_grading_stale() -> None:
    blank = grading("q1", score=None, judge_completion=None, sample_uuid="new")
    result = grade(
        [grading("q1", sample_uuid="a"), grading("q2", of="7", sample_uuid="b")], [blank]
    )
    assert uuids(result.rows) == ["a", "b"]


def test_other_tables_keep_the_newer_row() -> None:
    entry = {
        "run_id": "r",
        "stage": "generate",
        "condition_id": "g1",
        "model": "m",
        "calls": 1,
        "priced": True,
        "batch": False,
        "created_at": "t",
    }
    old, new = table("ledger", [entry]), table("ledger", [{**entry, "calls": 2}])
    result = upsert(LEDGER, old, new)
    assert result.rows["calls"].to_pylist() == [2]  # a null in the key equals a null
    assert upsert(LOG_INDEX, table("log_index"), table("log_index")).rows.num_rows == 0


def test_the_schema_is_kept() -> None:
    result = merge([], [])
    assert result.rows.schema == table("solutions").schema
    assert merge([solution()], [solution()]).rows.schema == table("solutions").schema
