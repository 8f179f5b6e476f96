"""results: how a study came out so far: scores, failures, and what a call costs and takes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from itemeval_assets.core.design.study import GENERATE, GRADE, Study
from itemeval_assets.core.money.paid_calls import PaidCalls, generation_calls, grading_calls
from itemeval_assets.core.records.summaries import (
    NOTHING_GRADED,
    Graded,
    ItemScores,
    graded_by,
    item_scores,
)
from itemeval_assets.storage.study.store import ResultsStore

from . import cells

__all__ = ["Results", "results"]

CELL_COLUMNS = ["gen_condition_id", "grade_condition_id", "item_id", "score", "state", "reason"]
# The texts of a study are most of its bytes, and no picture shows one.
CALL_COLUMNS = [
    "gen_condition_id",
    "grade_condition_id",
    "item_id",
    "replication",
    "parse_ok",
    "parse_error",
    *(
        f"{stage}_{name}"
        for stage in ("gen", "grade")
        for name in ("input_tokens", "usd", "latency_s", "log_file")
    ),
]


class Results(NamedTuple):
    """Conditions go by their labels.

    `per_pair`: by (condition, graded by), of the whole design; `per_grader`: by judge or scorer;
    `items`: of what the policy covers; `calls`: {stage: {condition: its paid calls}}.
    """

    per_pair: dict[tuple[str, str], Graded]
    per_grader: dict[str, Graded]
    items: ItemScores
    calls: dict[str, dict[str, PaidCalls]]


def results(study: Study, store: ResultsStore) -> Results:
    """Sum up the cells of the design, in its order."""
    design = study.design

    def condition(row: Mapping[str, Any]) -> str:
        return design.labels[row["gen_condition_id"]]

    def grader(row: Mapping[str, Any]) -> str:
        return design.labels[row["grade_condition_id"]]

    partitions = study.grade_partitions()
    found = [
        row
        for table in cells.tables(study, store, partitions)
        for row in table.select(CELL_COLUMNS).to_pylist()
    ]
    covered = [row for row in found if row["state"] != "not_planned"]
    rows = store.read("gradings_long", partitions, CALL_COLUMNS).to_pylist()
    logs = store.read("log_index", columns=["log_file", "batch"]).to_pylist()
    batched = {log["log_file"] for log in logs if log["batch"]}
    by_pair = graded_by(found, lambda row: (condition(row), grader(row)))
    pairs = [(one.label, other.label) for one in design.generate for other in design.grade]
    return Results(
        {pair: by_pair.get(pair, NOTHING_GRADED) for pair in pairs},
        graded_by(found, grader),
        item_scores(covered, grader, condition),
        {
            GENERATE: generation_calls(rows, condition, batched),
            GRADE: grading_calls(rows, grader, batched),
        },
    )
