"""Stored calls as experience: what prompts and answers came to, beside what was estimated."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.pending import Grid
from itemeval_assets.core.design.conditions.conditions import GenerateCondition
from itemeval_assets.core.design.conditions.rubrics import RubricCondition
from itemeval_assets.core.design.partitions import GENERATE, RUBRIC, Partition, Stage
from itemeval_assets.core.grading.grader import ModelCall
from itemeval_assets.core.money.projection.estimate import Observed, likely_tokens
from itemeval_assets.core.money.projection.sizes import text_sizes
from itemeval_assets.stages.calls.stage_run import Scope

from .prompts import StudyPrompts

_INPUT_COLUMNS = ["input_tokens", "cache_read_tokens", "cache_write_tokens"]
_COLUMNS = ["item_id", "epoch", "output_tokens", "latency_s", "error", "log_file", *_INPUT_COLUMNS]


def models_of(scope: Scope, stage: Stage) -> set[str]:
    """The models that a stage of the study calls."""
    design = scope.study.design
    if stage is GENERATE:
        return {condition.model for condition in design.generate}
    return set(design.writing_models if stage is RUBRIC else design.grading_models)


def observed(scope: Scope, stage: Stage, prompts: StudyPrompts) -> Iterator[Observed]:
    """The stored paid calls of each partition, beside what their prompts were estimated at."""
    design, store = scope.study.design, scope.store
    if stage is RUBRIC:
        for rubric in design.written:
            yield _observed_calls(scope, prompts, Partition((rubric.id,)), rubric)
        return
    for condition in design.generate:
        generated = Partition((condition.id,))
        if stage is GENERATE:
            yield _observed_calls(scope, prompts, generated, condition)
            continue
        solutions = store.read("solutions", [generated], ["item_id", "epoch", "solution"])
        for other in design.grade:
            if (call := other.grader.call) and design.crosses(condition, other):
                partition = Partition((condition.id, other.id))
                yield _observed_calls(scope, prompts, partition, call, solutions)


def _observed_calls(
    scope: Scope,
    prompts: StudyPrompts,
    partition: Partition,
    called: GenerateCondition | RubricCondition | ModelCall,
    solutions: pa.Table | None = None,
) -> Observed:
    rows = scope.store.read(partition.stage.table, [partition], _COLUMNS)
    paid = rows.filter(pc.field("error").is_null() & pc.field("input_tokens").is_valid())
    # Also the calls of items and replications that the policy leaves out.
    epochs = pc.max(paid["epoch"]).as_py() or 1  # type: ignore[attr-defined]
    grid = Grid(scope.items["item_id"].to_pylist(), epochs)
    paid = paid.filter(grid.holds(paid["item_id"], paid["epoch"]))
    places = grid.places(paid)
    shown = np.zeros((1, 2))
    if isinstance(called, ModelCall) and solutions is not None:
        shown = text_sizes(grid, solutions, called.max_solution_chars).sizes[places]
    sizes = prompts.sizes(partition).with_solutions(places // epochs, shown.astype(np.int64))
    return Observed(
        called.model,
        paid.num_rows,
        int(likely_tokens(sizes[:, 0]).sum()),
        sum(_sum(paid[name]) for name in _INPUT_COLUMNS),
        _sum(paid["output_tokens"]),
        _latencies(scope, partition, paid),
    )


def _latencies(scope: Scope, partition: Partition, paid: pa.Table) -> list[float]:
    logs = scope.store.read("log_index", [partition], ["log_file", "batch"])
    batched = logs.filter(pc.field("batch"))["log_file"]
    single = pc.invert(pc.is_in(paid["log_file"], value_set=batched))  # type: ignore[attr-defined]
    return paid["latency_s"].filter(single).drop_null().to_pylist()


def _sum(column: pa.ChunkedArray) -> int:
    return pc.sum(column).as_py() or 0  # type: ignore[attr-defined]
