"""The assets whose steps call models: solutions and gradings, each with its ledger."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.partitions import GENERATE, GRADE, Partition, Stage
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import SCHEMA_VERSION, TABLES
from itemeval_assets.dagster_io.config import RunConfig
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.names import (
    TABLES_IO,
    asset_key,
    partition_key,
    pool,
    step_name,
    to_partitions,
)
from itemeval_assets.dagster_io.partitions import (
    backfill_policy,
    generate_partitions,
    grade_partitions,
    rows_of,
    same_generate_condition,
)
from itemeval_assets.dagster_io.progress import wait_log
from itemeval_assets.dagster_io.results import CallCounts, tell_result
from itemeval_assets.dagster_io.steps import held_by_step, stage_run

from .automation import when_free_or_paid, when_paid
from .evidence import code_references
from .metadata import call_metadata, generate_conditions, grade_conditions, table_metadata
from .versions import outputs_by_partition, version_after

if TYPE_CHECKING:
    import pyarrow as pa

    from itemeval_assets.stages.calls.stage_run import StageRun
    from itemeval_assets.stages.outcome import Outcome


def solutions_asset(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    """Solutions and their ledger, which one step materializes, by generate condition."""
    owners = shared["owners"]
    about = {
        **generate_conditions(study),
        **code_references(study, [condition.prompt for condition in study.design.generate]),
    }

    @dg.multi_asset(
        name=step_name(study, "solutions"),
        outs={
            "solutions": _out(
                study,
                "solutions",
                "Answers of the models",
                owners,
                about,
                condition=when_paid(study),
            ),
            "generation_ledger": _out(
                study, "generation_ledger", "What the answers cost", owners, table="bookings"
            ),
        },
        ins={"items": dg.AssetIn(key=asset_key(study, "items"))},
        partitions_def=generate_partitions(study),
        backfill_policy=backfill_policy(study),
        group_name=shared["group_name"],
        pool=pool(study.config.solvers.models),
    )
    def solutions(
        context: dg.AssetExecutionContext, config: RunConfig, items: Any
    ) -> Iterator[Any]:
        partitions = to_partitions(context.partition_keys, study.generate_partitions())
        with users_errors(), held_by_step() as held:
            run = held.enter_context(stage_run(context, study, config, items, partitions))
            held.enter_context(
                run.store.claimed(partitions, run.run_id, wait_log(context.log.info))
            )
            outcome = stages.solutions.generate(run, partitions)
            yield from _paid_outputs(context, run, GENERATE, outcome)

    return solutions


def gradings_asset(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    """Gradings and their ledger, which one step materializes, by generate x grade condition."""
    owners = shared["owners"]
    about = {
        **generate_conditions(study),
        **grade_conditions(study),
        **code_references(study, study.design.rubrics),
    }

    @dg.multi_asset(
        name=step_name(study, "gradings"),
        outs={
            "gradings": _out(
                study,
                "gradings",
                "Verdicts of scorers and judges",
                owners,
                about,
                condition=when_free_or_paid(study),
            ),
            "grading_ledger": _out(
                study, "grading_ledger", "What the verdicts cost", owners, table="bookings"
            ),
        },
        ins={
            "items": dg.AssetIn(key=asset_key(study, "items")),
            "solutions": dg.AssetIn(
                key=asset_key(study, "solutions"), partition_mapping=same_generate_condition()
            ),
        },
        internal_asset_deps={
            "gradings": {asset_key(study, "items"), asset_key(study, "solutions")},
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
        partitions = to_partitions(context.partition_keys, study.grade_partitions())
        with users_errors(), held_by_step() as held:
            run = held.enter_context(stage_run(context, study, config, items, partitions))
            _warn_of_missing(context, solutions, partitions)
            held.enter_context(
                run.store.claimed(partitions, run.run_id, wait_log(context.log.info))
            )
            outcome = stages.gradings.grade(run, solutions, partitions)
            yield from _paid_outputs(context, run, GRADE, outcome)

    return gradings


def _out(
    study: Study,
    name: str,
    says: str,
    owners: list[str] | None,
    more: dict[str, Any] | None = None,
    table: str | None = None,
    condition: dg.AutomationCondition | None = None,
) -> dg.AssetOut:
    table = table or name
    return dg.AssetOut(
        key=asset_key(study, name),
        io_manager_key=TABLES_IO,
        kinds={"parquet", "inspect_ai"},
        description=f"{says}: {TABLES[table].grain}.",
        metadata={**(more or {}), **table_metadata(study, table)},
        owners=owners,
        code_version=SCHEMA_VERSION,
        automation_condition=condition,
    )


def _paid_outputs(
    context: dg.AssetExecutionContext, run: "StageRun", stage: Stage, outcome: "Outcome"
) -> Iterator[Any]:
    """Yield the rows, then the bookings. Dagster stores an output before it asks for the next."""

    def describe(asset: str, partition: Partition, metadata: dict[str, Any]) -> None:
        context.add_asset_metadata(
            metadata, asset_key=asset_key(run.study, asset), partition_key=partition_key(partition)
        )

    for partition, metadata in call_metadata(run, stage.table, outcome).items():
        describe(stage.table, partition, metadata)
    if outcome.unpriced:
        unknown = ", ".join(sorted(outcome.unpriced))
        context.log.warning(f"no price is known for {unknown}: usd is null")
    yield from _versioned(context, run, stage.table, outcome, outcome.rows)
    booked = stages.ledger.book(run.store, outcome, run.run_id)
    for partition in outcome.pending:
        rows = rows_of(booked, stage.ledger, partition).num_rows
        describe(stage.ledger, partition, {"rows booked": rows})
    yield from _versioned(context, run, stage.ledger, outcome, booked)
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
    versions = {
        partition: version_after(run.store, asset, partition, rows) for partition in outcome.pending
    }

    def output(version: dg.DataVersion) -> dg.Output:
        return dg.Output(rows, output_name=asset, data_version=version)

    yield from outputs_by_partition(context, asset_key(run.study, asset), versions, output)


def _warn_of_missing(
    context: dg.AssetExecutionContext, solutions: Any, partitions: list[Partition]
) -> None:
    """Say which solutions do not exist yet: their gradings stay empty, and nothing is paid."""
    stored = set(solutions["condition_id"].to_pylist())
    for condition in dict.fromkeys(partition.generate for partition in partitions):
        if condition not in stored:
            context.log.warning(f"nothing to grade: {condition} has no solutions yet")
