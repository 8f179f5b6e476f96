"""The IO manager: turns a Dagster context into (table, partitions) of a study's store."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import dagster as dg

from itemeval_assets.core.design.partitions import GENERATE, GRADE, RUBRIC, Partition
from itemeval_assets.core.design.study import Study

from .failures import users_errors
from .naming.keys import PartitionKeys
from .naming.partitions import by_partition
from .steps import store_of_step

if TYPE_CHECKING:
    import pyarrow as pa

# Assets whose rows go into a table of another name.
TABLE_OF = {stage.ledger: "bookings" for stage in (GENERATE, RUBRIC, GRADE)}


class StudyTablesIOManager(dg.IOManager):
    """Keyed, atomic upserts of Arrow tables; one run may hold rows of many partitions.

    `studies` may grow later: Dagster wants one IO manager for all components of a project, and
    loads these one by one.
    """

    def __init__(self, studies: Collection[Study]) -> None:
        self._studies = studies

    @users_errors()
    def handle_output(self, context: dg.OutputContext, obj: "pa.Table") -> None:
        study, asset = self._study(context.asset_key), context.asset_key.path[-1]
        store = store_of_step(study, context.run_id, context.step_key)
        table = TABLE_OF.get(asset, asset)
        if not context.has_asset_partitions:
            store.replace(table, Partition(), obj)
            return
        rows = by_partition(obj, asset)
        parts = ((partition, rows[partition]) for partition in _partitions(study, context))
        store.upsert_each(table, parts)

    @users_errors()
    def load_input(self, context: dg.InputContext) -> "pa.Table":
        study = self._study(context.asset_key)
        store = store_of_step(study, *_step_of(context))
        table = context.asset_key.path[-1]
        if not context.has_asset_partitions:
            return store.read(table)
        return store.read(table, _partitions(study, context))

    def _study(self, key: dg.AssetKey) -> Study:
        return {study.name: study for study in self._studies}[key.path[0]]


def _partitions(study: Study, context: dg.OutputContext | dg.InputContext) -> list[Partition]:
    """The partitions that a context is about, in the order of their ids."""
    return sorted(map(PartitionKeys(study).partition, context.asset_partition_keys))


def _step_of(context: dg.InputContext) -> tuple[str, str]:
    """The run and the step that an input is loaded in."""
    try:
        return context.step_context.run_id, context.step_context.step.key
    except dg.DagsterInvariantViolationError:
        return "none", "none"  # a context that is made by hand belongs to no run
