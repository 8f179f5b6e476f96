"""The asset graph of one study. Bodies are thin: the work is in `stages`.

items -> solutions [generate] -> gradings [generate x grade] -> gradings_long -> export
             generation_ledger       grading_ledger -> ledger -----^
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.errors import DatasetError, ItemevalAssetsError
from itemeval_assets.core.study import Partition, Study
from itemeval_assets.core.tables import TABLES
from itemeval_assets.settings import Settings
from itemeval_assets.storage.inputs import load_prices

from .metadata import (
    call_metadata,
    column_schema,
    generate_conditions,
    grade_conditions,
    partition_row_count,
    row_count,
    table_metadata,
    usd,
)
from .names import asset_key, identifier, partition_key, to_partitions
from .partitions import generate_partitions, grade_partitions, rows_of, same_generate_condition
from .progress import progress_log

if TYPE_CHECKING:
    from itemeval_assets.stages.stage_run import Outcome, StageRun
    from itemeval_assets.storage.store import ResultsStore

__all__ = ["RunConfig", "study_assets"]

IO = "study_tables"
LEDGER_OF = {"solutions": "generation_ledger", "gradings": "grading_ledger"}


class RunConfig(dg.Config):
    """What may be asked of one run of a paid asset."""

    force: bool = False
    policy: str | None = None
    consent_usd: float | None = None


def study_assets(study: Study, settings: Settings) -> list[dg.AssetsDefinition]:
    """All assets of a study, in one group."""
    shared = {"group_name": identifier(study), "owners": settings.owner_list() or None}
    return [
        _items(study, shared),
        _solutions(study, shared),
        _gradings(study, shared),
        _gradings_long(study, shared),
        _ledger(study, shared),
        _export(study, shared),
    ]


def _items(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(study, "items"),
        io_manager_key=IO,
        kinds={"parquet"},
        description=f"The questions, pinned at the first run: {TABLES['items'].grain}.",
        metadata=table_metadata(study, "items"),
        **shared,
    )
    def items(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with _users_errors():
            store = _store(study)
            store.take_ownership(study)
            rows = stages.items.load(study, store)
        datasets = sorted(set(rows["dataset_id"].to_pylist()))
        return dg.MaterializeResult(
            value=rows, metadata={**row_count(rows), "datasets": ", ".join(datasets)}
        )

    return cast(dg.AssetsDefinition, items)


def _solutions(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    owners, conditions = shared["owners"], generate_conditions(study)

    @dg.multi_asset(
        name=f"{identifier(study)}__solutions",
        outs={
            "solutions": _out(study, "solutions", "Answers of the models", owners, conditions),
            "generation_ledger": _out(
                study, "generation_ledger", "What the answers cost", owners, table="ledger"
            ),
        },
        ins={"items": dg.AssetIn(key=asset_key(study, "items"))},
        partitions_def=generate_partitions(study),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=shared["group_name"],
    )
    def solutions(
        context: dg.AssetExecutionContext, config: RunConfig, items: Any
    ) -> Iterator[Any]:
        partitions = to_partitions(context.partition_keys, study.generate_partitions())
        with _users_errors():
            run = _stage_run(context, study, config, items)
            with run.store.claimed(partitions, run.run_id, _tell_of_wait(context)):
                outcome = stages.solutions.generate(run, partitions)
                yield from _paid_outputs(context, run, "solutions", outcome)

    return solutions


def _gradings(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    owners = shared["owners"]
    conditions = {**generate_conditions(study), **grade_conditions(study)}

    @dg.multi_asset(
        name=f"{identifier(study)}__gradings",
        outs={
            "gradings": _out(
                study, "gradings", "Verdicts of scorers and judges", owners, conditions
            ),
            "grading_ledger": _out(
                study, "grading_ledger", "What the verdicts cost", owners, table="ledger"
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
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=shared["group_name"],
    )
    def gradings(
        context: dg.AssetExecutionContext, config: RunConfig, items: Any, solutions: Any
    ) -> Iterator[Any]:
        partitions = to_partitions(context.partition_keys, study.grade_partitions())
        with _users_errors():
            run = _stage_run(context, study, config, items)
            _warn_of_missing(context, solutions, partitions)
            with run.store.claimed(partitions, run.run_id, _tell_of_wait(context)):
                outcome = stages.gradings.grade(run, solutions, partitions)
                yield from _paid_outputs(context, run, "gradings", outcome)

    return gradings


def _gradings_long(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(study, "gradings_long"),
        ins={
            "gradings": dg.AssetIn(key=asset_key(study, "gradings")),
            "solutions": dg.AssetIn(
                key=asset_key(study, "solutions"), partition_mapping=same_generate_condition()
            ),
        },
        partitions_def=grade_partitions(study),
        backfill_policy=dg.BackfillPolicy.single_run(),
        io_manager_key=IO,
        kinds={"parquet"},
        description=f"The table to analyse: {TABLES['gradings_long'].grain}.",
        metadata=table_metadata(study, "gradings_long"),
        **shared,
    )
    def gradings_long(
        context: dg.AssetExecutionContext, gradings: Any, solutions: Any
    ) -> dg.MaterializeResult:
        rows = stages.gradings_long.join(gradings, solutions)
        for partition in to_partitions(context.partition_keys, study.grade_partitions()):
            context.add_asset_metadata(
                partition_row_count(rows_of(rows, "gradings_long", partition)),
                partition_key=partition_key(partition),
            )
        return dg.MaterializeResult(value=rows)

    return cast(dg.AssetsDefinition, gradings_long)


def _ledger(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(study, "ledger"),
        deps=[asset_key(study, "generation_ledger"), asset_key(study, "grading_ledger")],
        kinds={"parquet"},
        description="Every dollar of the study, from the usage in the .eval logs: "
        "one row per run x stage x condition x model.",
        metadata=table_metadata(study, "ledger"),
        **shared,
    )
    def ledger(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with _users_errors():
            rows = stages.ledger.united(_store(study))
        spent = sum(usd or 0.0 for usd in rows["usd"].to_pylist())
        return dg.MaterializeResult(metadata={**row_count(rows), "usd": usd(spent)})

    return cast(dg.AssetsDefinition, ledger)


def _export(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(study, "export"),
        deps=[asset_key(study, "gradings_long"), asset_key(study, "ledger")],
        kinds={"parquet", "csv"},
        description="gradings_long and the ledger as single files, Parquet and CSV. "
        "Written only while the tables are sound.",
        metadata=column_schema("gradings_long"),
        **shared,
    )
    def export(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with _users_errors():
            result = stages.export.write(study, _store(study))
        paths = {name: dg.MetadataValue.path(path) for name, path in result.paths.items()}
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": result.rows,
                "usd": usd(result.usd),
                "models without price": ", ".join(result.unpriced) or "none",
                **paths,
            }
        )

    return cast(dg.AssetsDefinition, export)


def _out(
    study: Study,
    name: str,
    says: str,
    owners: list[str] | None,
    conditions: dict[str, Any] | None = None,
    table: str | None = None,
) -> dg.AssetOut:
    table = table or name
    return dg.AssetOut(
        key=asset_key(study, name),
        io_manager_key=IO,
        kinds={"parquet", "inspect_ai"},
        description=f"{says}: {TABLES[table].grain}.",
        metadata={**(conditions or {}), **table_metadata(study, table)},
        owners=owners,
    )


def _paid_outputs(
    context: dg.AssetExecutionContext, run: "StageRun", table: str, outcome: "Outcome"
) -> Iterator[dg.Output]:
    """Yield the rows, then the ledger. Dagster stores an output before it asks for the next."""

    def describe(asset: str, partition: Partition, metadata: dict[str, Any]) -> None:
        context.add_asset_metadata(
            metadata, asset_key=asset_key(run.study, asset), partition_key=partition_key(partition)
        )

    for partition, metadata in call_metadata(run, table, outcome).items():
        describe(table, partition, metadata)
    if outcome.unpriced:
        unknown = ", ".join(sorted(outcome.unpriced))
        context.log.warning(f"no price is known for {unknown}: usd is null")
    yield dg.Output(outcome.rows, output_name=table)
    booked = stages.ledger.book(run.store, outcome, run.run_id)
    ledger = LEDGER_OF[table]
    for partition in outcome.pending:
        describe(ledger, partition, {"rows booked": rows_of(booked, ledger, partition).num_rows})
    yield dg.Output(booked, output_name=ledger)


def _store(study: Study) -> "ResultsStore":
    # Late: definitions load without pyarrow.
    from itemeval_assets.storage.store import open_store

    return open_store(study)


def _stage_run(
    context: dg.AssetExecutionContext, study: Study, config: RunConfig, items: Any
) -> "StageRun":
    from itemeval_assets.stages.stage_run import StageRun

    # An input that was never materialized arrives as an empty table: without items, nothing
    # would be pending, and the partition would turn green for nothing.
    if not items.num_rows:
        raise DatasetError(f"study {study.name} has no items yet: materialize items first")
    return StageRun(
        study,
        _store(study),
        load_prices(study),
        items,
        context.op_execution_context.run_id,
        progress_log(context.log.info),
        context.log.info,
        **config.model_dump(),
    )


def _warn_of_missing(
    context: dg.AssetExecutionContext, solutions: Any, partitions: list[Partition]
) -> None:
    """Say which solutions do not exist yet: their gradings stay empty, and nothing is paid."""
    stored = set(solutions["condition_id"].to_pylist())
    for condition in dict.fromkeys(partition[0] for partition in partitions):
        if condition not in stored:
            context.log.warning(f"nothing to grade: {condition} has no solutions yet")


def _tell_of_wait(context: dg.AssetExecutionContext) -> Callable[[Partition, str], None]:
    def tell(partition: Partition, holder: str) -> None:
        context.log.info(f"waiting for run {holder}, which is calling {partition_key(partition)}")

    return tell


@contextmanager
def _users_errors() -> Iterator[None]:
    """An error that the user can act on ends the step with its message and no retry."""
    try:
        yield
    except ItemevalAssetsError as error:
        raise dg.Failure(
            description=str(error),
            metadata={"error": type(error).__name__, "exit_code": error.exit_code},
            allow_retries=False,
        ) from error
