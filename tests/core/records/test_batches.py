"""Kept batches: their document, what of them nobody wants, and the words that tell of them."""

import json
from dataclasses import replace

import pytest

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.records.batches import (
    KeptBatch,
    Line,
    age,
    can_be_collected,
    can_be_given_up,
    waiting,
    waiting_words,
)

PART = Partition(("gen",))
ONE, TWO = Cell("q1", 1), Cell("q2", 1)
LINES = {
    "a": Line(PART, ONE, "d1", 0.25, ("run",)),
    "b": Line(PART, TWO, "d2", 0.5, ("run",), holder="mine"),
}
BATCH = KeptBatch("name", "openai/m", "run", "2026-01-01T00:00:00Z", LINES, id="batch_1")
MADE_S = 1_767_225_600.0


def words(batch: KeptBatch, wanted: list[Cell], living: list[str]) -> list[str]:
    found = waiting(batch, [(PART, cell) for cell in wanted], living, MADE_S + 7200)
    return list(waiting_words([found] if found else []))


def test_a_document_is_read_as_it_was_written():
    assert KeptBatch.from_document(json.loads(json.dumps(BATCH.to_document()))) == BATCH


@pytest.mark.parametrize(
    "broken", [{"lines": 3}, {"created_at": "now"}, {"size": 1}, {"model": 3}, {"id": 4}]
)
def test_a_document_of_another_shape_is_refused(broken: dict[str, object]):
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        KeptBatch.from_document({**BATCH.to_document(), **broken})


def test_what_waits_is_told_with_age_and_cost():
    assert words(BATCH, [ONE, TWO], []) == [
        "calls in batches whose answers are not collected: 2, at most $0.75: batch_1 of openai/m, "
        "2 calls, 2 h old"
    ]
    assert words(BATCH, [ONE], ["mine"]) == [
        "calls in batches whose answers are not collected: 2, at most $0.75: batch_1 of openai/m, "
        "2 calls, 2 h old, a run waits for it"
    ]


def test_what_is_expected_is_told_of_what_a_cell_waits_for():
    def expected(wanted: list[Cell], usd: dict[Cell, float]) -> float | None:
        cells = [(PART, cell) for cell in wanted]
        found = waiting(BATCH, cells, [], MADE_S, lambda line: usd.get(line.cell))
        assert found is not None
        [*told] = waiting_words([found])
        assert (found.expected_usd is None) == (not any("expected" in one for one in told))
        return found.expected_usd

    assert expected([ONE, TWO], {ONE: 0.125, TWO: 0.25}) == 0.375
    assert expected([ONE], {ONE: 0.125, TWO: 0.25}) == 0.125
    assert expected([ONE, TWO], {ONE: 0.125}) is None
    assert expected([], {ONE: 0.125}) is None


def test_what_no_cell_wants_is_told_apart():
    part = waiting(BATCH, [(PART, ONE)], [], MADE_S)
    assert part is not None
    assert (part.unwanted, part.unwanted_usd) == (1, 0.5)
    assert (can_be_collected([part]), can_be_given_up([part])) == (True, True)
    [told] = words(BATCH, [], [])
    assert told.startswith("no cell waits any more for 2 calls in batches, at most $0.75")


def test_a_problem_is_told_and_what_is_given_up_is_not():
    lost = replace(BATCH, problem="the provider is gone")
    assert words(lost, [ONE, TWO], []) == [
        "batch_1 of openai/m, 2 calls, 2 h old: the provider is gone"
    ]
    given_up = {id: line._replace(is_given_up=True) for id, line in LINES.items()}
    assert words(lost.with_lines(given_up), [ONE, TWO], []) == []


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "5 s"), (600, "10 min"), (7200, "2 h"), (300_000, "3 days")]
)
def test_ages(seconds: float, said: str):
    assert age(seconds) == said
