"""What fails most often, in the words of its errors."""

import os
from collections.abc import Iterable

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.records.failures import ErrorCount, most_frequent
from itemeval_assets.stages.calls.stage_run import grid_of
from itemeval_assets.storage.study.store import ResultsStore


def frequent_errors(
    study: Study, store: ResultsStore, partitions: Iterable[Partition], policy: str | None = None
) -> list[ErrorCount]:
    """The most frequent error texts among the cells of these partitions."""
    grid = grid_of(store.read("items", columns=["item_id"]), run_plan(study.config, policy))
    texts: list[str] = []
    for partition in partitions:
        rows = store.read(partition.stage.table, [partition], ["item_id", "epoch", "error"])
        places = grid.places(rows).tolist()
        errors = rows["error"].to_pylist()
        texts += [
            error for error, place in zip(errors, places, strict=True) if error and place >= 0
        ]
    return most_frequent(texts, os.environ)


def scorer_failures(
    study: Study, store: ResultsStore, partitions: Iterable[Partition]
) -> list[ErrorCount]:
    """The most frequent messages of code of others among the gradings of these partitions."""
    conditions = study.design.grade_by_id
    own = [part for part in partitions if conditions[part.grade].grader.program]
    if not own:
        return []
    rows = store.read("gradings", own, ["parse_error", "reasoning"])
    failed = rows.filter(rows["parse_error"].is_valid()).to_pylist()
    return most_frequent([row["reasoning"] or row["parse_error"] for row in failed], os.environ)
