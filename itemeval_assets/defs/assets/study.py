"""The asset graph of one study. Bodies are thin: the work is in `stages`.

items -> solutions [generate] -> gradings [generate x grade] -> gradings_long -> export, report
             generation_ledger       grading_ledger -> ledger -----^

Where models write rubrics: items -> item_rubrics [rubric] -> gradings; rubric_ledger -> ledger

In a group of their own, since they pay or publish beside the study's cells, or only look ahead:

items -> estimate        preflight -> ledger        gradings_long, ledger -> release

Steps that call models are in `calls`, the ledger in `money`, the pictures in `results`, and
what is estimated with its certainty in `figures`, and the page of all in `report`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.items.changed_items import named
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import SCHEMA_VERSION, TABLES
from itemeval_assets.dagster_io.config import ItemsConfig
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import (
    TABLES_IO,
    Labels,
    asset_key,
    on_demand_group,
)
from itemeval_assets.dagster_io.naming.partitions import (
    backfill_policy,
    grade_partitions,
    require_of_design,
    same_generate_condition,
)
from itemeval_assets.dagster_io.steps import store_of
from itemeval_assets.defs.shown.evidence import code_references, column_lineage, evidence
from itemeval_assets.defs.shown.metadata import table_metadata
from itemeval_assets.defs.shown.versions import (
    content_version,
    outputs_by_partition,
    version_of_runs,
)

from .automation import when_inputs_change
from .calls import gradings_asset, item_rubrics_asset, solutions_asset
from .export import export_asset
from .figures import figure_assets
from .money import costs_asset, estimate_asset, ledger_asset, preflight_asset
from .release import release_asset
from .report import report_asset
from .results import results_asset


def study_assets(study: Study, labels: Labels) -> list[dg.AssetsDefinition]:
    """All assets of a study, in its two groups."""
    labelled = {"owners": labels.owners or None, "tags": labels.tags}
    shared = {"group_name": labels.group, **labelled}
    on_demand = {"group_name": on_demand_group(labels.group), **labelled}
    return [
        _items(study, shared),
        solutions_asset(study, shared),
        *([item_rubrics_asset(study, shared)] if study.design.written else []),
        gradings_asset(study, shared),
        _gradings_long(study, shared),
        ledger_asset(study, shared),
        costs_asset(study, shared),
        # What to ask for before money is spent: no part of the study's own results.
        estimate_asset(study, on_demand),
        preflight_asset(study, on_demand),
        results_asset(study, shared),
        figure_assets(study, shared),
        report_asset(study, shared),
        export_asset(study, shared),
        release_asset(study, on_demand),
    ]


def _items(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(study, "items"),
        io_manager_key=TABLES_IO,
        kinds={"parquet"},
        description=f"The questions, which the first run pins. There is {TABLES['items'].grain}.",
        metadata={**table_metadata(study, "items"), **code_references(study, [])},
        code_version=SCHEMA_VERSION,
        **shared,
    )
    def items(
        context: dg.AssetExecutionContext, config: ItemsConfig
    ) -> Iterator[dg.MaterializeResult]:
        store, run_id = store_of(study, context), context.op_execution_context.run_id
        with users_errors(), store.beginning(study, run_id):
            found = stages.items.load(
                study,
                store,
                before_changes=partial(stages.evidence.require_all_read, study, store),
                accept_changes=config.accept_changes,
                holder=run_id,
                say=context.log.info,
            )
            rows, sample = found.table, found.sample
            datasets = sorted(set(rows["dataset_id"].to_pylist()))
            # Dagster stores what is yielded before the block ends.
            yield dg.MaterializeResult(
                value=rows,
                metadata={
                    "dagster/row_count": rows.num_rows,
                    "datasets": ", ".join(datasets),
                    **({"sample": sample.words} if sample else {}),
                    **({"changed items": named(found.changed)} if found.changed else {}),
                },
                data_version=content_version(rows),
            )

    return cast(dg.AssetsDefinition, items)


def _gradings_long(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(study, "gradings_long"),
        deps=[
            asset_key(study, "gradings"),
            dg.AssetDep(asset_key(study, "solutions"), partition_mapping=same_generate_condition()),
        ],
        partitions_def=grade_partitions(study),
        backfill_policy=backfill_policy(study),
        kinds={"parquet"},
        description=f"The table to analyse. There is {TABLES['gradings_long'].grain}.",
        metadata=table_metadata(study, "gradings_long"),
        code_version=SCHEMA_VERSION,
        automation_condition=when_inputs_change(),
        **shared,
    )
    def gradings_long(context: dg.AssetExecutionContext) -> Iterator[Any]:
        versions, keys = {}, PartitionKeys(study)
        partitions = keys.partitions(context.partition_keys, study.grade_partitions())
        with users_errors():
            require_of_design(partitions)
            store = store_of(study, context)
            # One partition after the other: the whole table may be larger than the memory.
            for partition, rows in stages.gradings_long.write(store, partitions):
                context.add_asset_metadata(
                    {
                        "dagster/partition_row_count": rows.num_rows,
                        **evidence(study, store, partition, rows),
                    },
                    partition_key=keys.of(partition),
                )
                versions[partition] = version_of_runs(rows.select(["gen_run_id", "grade_run_id"]))

        def result(version: dg.DataVersion) -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata=column_lineage(study), data_version=version)

        yield from outputs_by_partition(context, study, "gradings_long", versions, result)

    return cast(dg.AssetsDefinition, gradings_long)
