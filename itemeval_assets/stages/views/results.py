"""results: how a study came out so far: scores, failures, and what a call costs and takes."""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.partitions import GENERATE, GRADE, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.paid_calls import PaidCalls, generation_calls, grading_calls
from itemeval_assets.core.records.scores import PairCells, graded, item_scores
from itemeval_assets.core.records.summaries import Graded, ItemScores
from itemeval_assets.storage.study.store import ResultsStore

from . import cells

_CELL_COLUMNS = ["item_id", "score", "state", "reason"]
# What is read of the calls of a stage, and where its condition stands in a pair.
_CALLS = (
    (GENERATE, 0, generation_calls, "gen", ["item_id", "replication"]),
    (GRADE, 1, grading_calls, "grade", ["parse_ok", "parse_error"]),
)
_CALL_COLUMNS = ("input_tokens", "usd", "latency_s", "log_file")


class Results(NamedTuple):
    """Conditions go by their labels.

    `per_pair`: by (condition, graded by), of the whole design; `per_grader`: by judge or scorer,
    without waves; `items`: of what the policy covers, without waves and what is graded again;
    `calls`: {stage: {condition: its paid calls}}. `settled`: by pair of a judge after a scorer, how
    many gradings are of the scorer.
    """

    per_pair: dict[tuple[str, str], Graded]
    per_grader: dict[str, Graded]
    items: ItemScores
    calls: dict[str, dict[str, PaidCalls]]
    settled: dict[tuple[str, str], int]


def results(study: Study, store: ResultsStore) -> Results:
    """Sum up the cells of the design, in its order."""
    pairs = _pair_cells(study, store)
    asked = {one.label for one in study.design.first_asked}
    first = [pair for pair in pairs if pair.condition in asked]
    by_grader = _joined([pair.graded_by for pair in first], [pair.cells for pair in first])
    judged = {one.label for one in study.design.first_graded}
    once = [pair for pair in first if pair.graded_by in judged]
    return Results(
        {(pair.condition, pair.graded_by): graded(pair.cells) for pair in pairs},
        {grader: graded(rows) for grader, rows in by_grader.items() if rows.num_rows},
        item_scores([pair._replace(cells=_planned(pair.cells)) for pair in once]),
        _calls(study, store),
        _settled(study, store),
    )


def _pair_cells(study: Study, store: ResultsStore) -> list[PairCells]:
    """The cells of each generate x grade pair of the design."""
    partitions, found = study.grade_partitions(), []
    tables = cells.tables(study, store, partitions)
    for partition, table in zip(partitions, tables, strict=True):
        condition, graded_by = study.design.labels_of(partition)
        found.append(PairCells(condition, graded_by, table.select(_CELL_COLUMNS)))
    return found


def _planned(found: pa.Table) -> pa.Table:
    return found.filter(pc.not_equal(found["state"], "not_planned"))  # type: ignore[attr-defined]


def _calls(study: Study, store: ResultsStore) -> dict[str, dict[str, PaidCalls]]:
    """The paid calls of each condition that has any, by stage."""
    logs = store.read("log_index", columns=["log_file", "batch"])
    batched = logs.filter(logs["batch"])["log_file"].to_pylist()
    found: dict[str, dict[str, PaidCalls]] = {}
    for stage, place, calls_of, prefix, columns in _CALLS:
        wanted = [*columns, *(f"{prefix}_{name}" for name in _CALL_COLUMNS)]
        pairs: dict[str, list[Partition]] = {}
        for pair in study.grade_partitions():
            pairs.setdefault(study.design.labels[pair[place]], []).append(pair)
        # One condition is in memory at a time.
        found[stage.name] = {
            label: calls
            for label, own in pairs.items()
            if (calls := calls_of(store.read("gradings_long", own, wanted), batched))
        }
    return found


def _settled(study: Study, store: ResultsStore) -> dict[tuple[str, str], int]:
    design, found = study.design, dict[tuple[str, str], int]()
    for pair in study.grade_partitions():
        if design.grade_by_id[pair.grade].grader.after:
            versions = store.read("gradings", [pair], ["scorer_version"])["scorer_version"]
            condition, graded_by = design.labels_of(pair)
            found[condition, graded_by] = len(versions) - versions.null_count
    return found


def _joined(labels: list[str], tables: list[pa.Table]) -> dict[str, pa.Table]:
    """The tables of each label as one, in order of first sight."""
    parts: dict[str, list[pa.Table]] = {}
    for label, table in zip(labels, tables, strict=True):
        parts.setdefault(label, []).append(table)
    return {label: pa.concat_tables(own) for label, own in parts.items()}
