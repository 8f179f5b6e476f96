"""Stored calls as experience: what prompts and answers came to, beside what was estimated."""

from collections.abc import Iterator

import pyarrow as pa

from itemeval_assets.core.design.partitions import GENERATE, Partition, Stage
from itemeval_assets.core.design.pending import Cell
from itemeval_assets.core.money.estimate import Observed, estimate_tokens
from itemeval_assets.stages.calls.stage_run import Caller, Scope
from itemeval_assets.stages.gradings import GradingCaller
from itemeval_assets.stages.solutions import SolutionCaller


def models_of(scope: Scope, stage: Stage) -> set[str]:
    """The models that a stage of the study calls."""
    design = scope.study.design
    if stage is GENERATE:
        return {condition.model for condition in design.generate}
    return set(design.grading_models)


def observed(scope: Scope, stage: Stage) -> Iterator[Observed]:
    """Every stored paid call of the design, beside what its prompt was estimated at."""
    design, store = scope.study.design, scope.store
    solver = SolutionCaller(scope)
    for condition in design.generate:
        generated = Partition((condition.id,))
        solutions = store.read("solutions", [generated])
        if stage is GENERATE:
            yield from _observed_calls(scope, solver, generated, solutions)
            continue
        judge = GradingCaller(scope, solutions)
        for other in design.grade:
            partition = Partition((condition.id, other.id))
            if not design.is_free(partition):
                rows = store.read("gradings", [partition])
                yield from _observed_calls(scope, judge, partition, rows)


def _observed_calls(
    scope: Scope, caller: Caller, partition: Partition, rows: pa.Table
) -> Iterator[Observed]:
    known = set(scope.items["item_id"].to_pylist())
    columns = [
        "item_id",
        "epoch",
        "input_tokens",
        "output_tokens",
        "latency_s",
        "error",
        "log_file",
    ]
    logs = scope.store.read("log_index", [partition], ["log_file", "batch"]).to_pylist()
    batched = {log["log_file"] for log in logs if log["batch"]}
    cached = ["cache_read_tokens", "cache_write_tokens"]
    paid = {
        Cell(row["item_id"], row["epoch"]): row
        for row in rows.select([*columns, *cached]).to_pylist()
        if row["error"] is None and row["input_tokens"] is not None and row["item_id"] in known
    }
    prompts = caller.prompts(partition, list(paid))
    for cell, row in paid.items():
        yield Observed(
            caller.model(partition),
            estimate_tokens(prompts[cell].text),
            sum(row[name] or 0 for name in ("input_tokens", *cached)),
            row["output_tokens"] or 0,
            None if row["log_file"] in batched else row["latency_s"],
        )
