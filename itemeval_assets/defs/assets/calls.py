"""The assets whose steps call models: solutions, rubrics and gradings, each with its ledger."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.partitions import GENERATE, GRADE, RUBRIC, Partition, Stage
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import SCHEMA_VERSION, TABLES
from itemeval_assets.dagster_io.config import RunConfig
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import (
    TABLES_IO,
    asset_key,
    pool,
    step_name,
)
from itemeval_assets.dagster_io.naming.partitions import (
    backfill_policy,
    by_partition,
    generate_partitions,
    grade_partitions,
    require_of_design,
    rubric_partitions,
    same_generate_condition,
)
from itemeval_assets.dagster_io.naming.run_tags import tag_with_cost, tag_with_work
from itemeval_assets.dagster_io.progress import wait_log
from itemeval_assets.dagster_io.results import CallCounts, tell_result
from itemeval_assets.dagster_io.steps import held_by_step, stage_run
from itemeval_assets.defs.shown.evidence import code_references
from itemeval_assets.defs.shown.metadata import (
    call_metadata,
    generate_conditions,
    grade_conditions,
    table_metadata,
)
from itemeval_assets.defs.shown.versions import outputs_by_partition, version_after
from itemeval_assets.engine.scorers.process import require_loadable

from .automation import when_free_or_paid, when_paid

if TYPE_CHECKING:
    import pyarrow as pa

    from itemeval_assets.stages.calls.stage_run import StageRun
    from itemeval_assets.stages.outcome import Outcome


_SAYS = {
    "solutions": "Answers of the models",
    "generation_ledger": "What the answers cost",
    "item_rubrics": "Rubrics that models write for the items",
    "rubric_ledger": "What these rubrics cost",
    "gradings": "Gradings by scorers and judges",
    "grading_ledger": "What the gradings cost",
}


def solutions_asset(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    """Solutions and their ledger, which one step materializes, by generate condition."""
    about = {
        **generate_conditions(study),
        **code_references(study, [condition.prompt for condition in study.design.generate]),
    }

    @dg.multi_asset(
        name=step_name(study, "solutions"),
        outs=_outs(study, GENERATE, shared, about, when_paid(study)),
        ins={"items": dg.AssetIn(key=asset_key(study, "items"))},
        partitions_def=generate_partitions(study),
        backfill_policy=backfill_policy(study),
        group_name=shared["group_name"],
        pool=pool(study.models),
    )
    def solutions(
        context: dg.AssetExecutionContext, config: RunConfig, items: Any
    ) -> Iterator[Any]:
        yield from _paid(context, study, GENERATE, config, items, stages.solutions.generate)

    return solutions


def item_rubrics_asset(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    """Rubrics of items and their ledger, which one step materializes, by rubric condition."""
    written = study.design.written
    about = code_references(study, [condition.template for condition in written])

    @dg.multi_asset(
        name=step_name(study, "item_rubrics"),
        outs=_outs(study, RUBRIC, shared, about, when_paid(study)),
        ins={"items": dg.AssetIn(key=asset_key(study, "items"))},
        partitions_def=rubric_partitions(study),
        backfill_policy=backfill_policy(study),
        group_name=shared["group_name"],
        pool=pool(study.design.writing_models),
    )
    def item_rubrics(
        context: dg.AssetExecutionContext, config: RunConfig, items: Any
    ) -> Iterator[Any]:
        yield from _paid(context, study, RUBRIC, config, items, stages.item_rubrics.write)

    return item_rubrics


def gradings_asset(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    """Gradings and their ledger, which one step materializes, by generate x grade condition."""
    about = {
        **generate_conditions(study),
        **grade_conditions(study),
        **code_references(study, study.design.rubrics),
    }
    rubrics = [asset_key(study, RUBRIC.table)] if study.design.written else []

    @dg.multi_asset(
        name=step_name(study, "gradings"),
        outs=_outs(study, GRADE, shared, about, when_free_or_paid(study)),
        ins={
            "items": dg.AssetIn(key=asset_key(study, "items")),
            "solutions": dg.AssetIn(
                key=asset_key(study, "solutions"), partition_mapping=same_generate_condition()
            ),
        },
        deps=[dg.AssetDep(key, partition_mapping=dg.AllPartitionMapping()) for key in rubrics],
        internal_asset_deps={
            "gradings": {asset_key(study, "items"), asset_key(study, "solutions"), *rubrics},
            "grading_ledger": {asset_key(study, "solutions")},
        },
        partitions_def=grade_partitions(study),
        backfill_policy=backfill_policy(study),
        group_name=shared["group_name"],
        pool=pool(study.design.grading_models),
    )
    def gradings(
        context: dg.AssetExecutionContext, config: RunConfig, items: Any, solutions: Any
    ) -> Iterator[Any]:
        def grade(run: "StageRun", partitions: list[Partition]) -> "Outcome":
            _warn_of_missing(context, solutions, partitions)
            _warn_of_missing_rubrics(context, run, partitions)
            return stages.gradings.grade(run, solutions, partitions)

        yield from _paid(context, study, GRADE, config, items, grade)

    return gradings


def _outs(
    study: Study,
    stage: Stage,
    shared: dict[str, Any],
    about: dict[str, Any],
    condition: dg.AutomationCondition | None,
) -> dict[str, dg.AssetOut]:
    """The rows of a stage, `about` which the page tells more, and what they cost."""
    return {
        name: dg.AssetOut(
            key=asset_key(study, name),
            io_manager_key=TABLES_IO,
            kinds={"parquet", "inspect_ai"},
            description=f"{_SAYS[name]}. There is {TABLES[table].grain}.",
            metadata={**more, **table_metadata(study, table)},
            owners=shared["owners"],
            tags=shared["tags"],
            code_version=SCHEMA_VERSION,
            automation_condition=when,
        )
        for name, table, more, when in (
            (stage.table, stage.table, about, condition),
            (stage.ledger, "bookings", {}, None),
        )
    }


def _paid(
    context: dg.AssetExecutionContext,
    study: Study,
    stage: Stage,
    config: RunConfig,
    items: Any,
    work: "Callable[[StageRun, list[Partition]], Outcome]",
) -> Iterator[Any]:
    """Do the work of a stage, while no other run has its partitions, and yield what came of it."""
    order = study.partitions_of(stage)
    partitions = PartitionKeys(study).partitions(context.partition_keys, order)
    with users_errors(), held_by_step() as held:
        require_of_design(partitions)
        tag_with_work(context, study, partitions)
        if not config.recover_only:
            # Before any call: what cannot grade is told while nothing is paid.
            require_loadable(study.design.programs)
        run = held.enter_context(stage_run(context, study, config, items, partitions))
        wait = wait_log(context.log.info)
        held.enter_context(run.store.claimed(partitions, run.run_id, wait))
        yield from _paid_outputs(context, run, stage, work(run, partitions))


def _paid_outputs(
    context: dg.AssetExecutionContext, run: "StageRun", stage: Stage, outcome: "Outcome"
) -> Iterator[Any]:
    """Yield the rows, then the bookings. Dagster stores an output before it asks for the next."""
    keys = PartitionKeys(run.study)

    def describe(asset: str, partition: Partition, metadata: dict[str, Any]) -> None:
        context.add_asset_metadata(
            metadata, asset_key=asset_key(run.study, asset), partition_key=keys.of(partition)
        )

    for partition, metadata in call_metadata(run, stage.table, outcome).items():
        describe(stage.table, partition, metadata)
    if outcome.unpriced:
        unknown = ", ".join(sorted(outcome.unpriced))
        context.log.warning(f"no price is known for {unknown}: usd is null")
    yield from _versioned(context, run, stage.table, outcome, outcome.rows)
    booked = stages.ledger.book(run.store, outcome, run.run_id)
    bookings = by_partition(booked, stage.ledger)
    for partition in outcome.pending:
        describe(stage.ledger, partition, {"rows booked": bookings[partition].num_rows})
    yield from _versioned(context, run, stage.ledger, outcome, booked)
    # Bookings of a partition are those of all its runs.
    columns = (booked[name].to_pylist() for name in ("run_id", "model", "usd"))
    own = [(model, usd) for id, model, usd in zip(*columns, strict=True) if id == run.run_id]
    tag_with_cost(context, own)
    stages.ledger.settle(run.store, outcome)
    run.gate.booked()
    tell_result(stage.table, CallCounts(sum(outcome.recovered.values()), outcome.held_back))
    stages.losses.require_whole(run.study, outcome)


def _versioned(
    context: dg.AssetExecutionContext,
    run: "StageRun",
    asset: str,
    outcome: "Outcome",
    rows: "pa.Table",
) -> Iterator[Any]:
    """The output of an asset, with a version for each of its partitions."""
    parts = by_partition(rows, asset)
    versions = {
        partition: version_after(run.store, asset, partition, parts[partition])
        for partition in outcome.pending
    }

    def output(version: dg.DataVersion) -> dg.Output:
        return dg.Output(rows, output_name=asset, data_version=version)

    yield from outputs_by_partition(context, run.study, asset, versions, output)


def _warn_of_missing_rubrics(
    context: dg.AssetExecutionContext, run: "StageRun", partitions: list[Partition]
) -> None:
    """Say which rubrics a model has not written yet: what is graded by them stays empty."""
    for rubric in dict.fromkeys(map(run.study.design.rubric_of, partitions)):
        if rubric and not run.store.has(RUBRIC.table, rubric):
            label = run.study.design.label_of(rubric)
            context.log.warning(f"nothing to grade by: {label} is not written yet")


def _warn_of_missing(
    context: dg.AssetExecutionContext, solutions: Any, partitions: list[Partition]
) -> None:
    """Say which solutions do not exist yet: their gradings stay empty, and nothing is paid."""
    stored = set(solutions["condition_id"].to_pylist())
    for condition in dict.fromkeys(partition.generate for partition in partitions):
        if condition not in stored:
            context.log.warning(f"nothing to grade: {condition} has no solutions yet")
