"""The IO manager: turns a Dagster context into (table, partitions) of a study's store."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import dagster as dg

from itemeval_assets.core.design.partitions import GENERATE, GRADE, Partition
from itemeval_assets.core.design.study import Study

from .failures import users_errors
from .names import to_partition
from .partitions import rows_of
from .steps import store_of_run

if TYPE_CHECKING:
    import pyarrow as pa

    from itemeval_assets.storage.study.store import ResultsStore

# Assets whose rows go into a table of another name.
TABLE_OF = {stage.ledger: "bookings" for stage in (GENERATE, GRADE)}


class StudyTablesIOManager(dg.IOManager):
    """Keyed, atomic upserts of Arrow tables; one run may hold rows of many partitions.

    `studies` may grow later: Dagster wants one IO manager for all components of a project, and
    loads these one by one.
    """

    def __init__(self, studies: Collection[Study]) -> None:
        self._studies = studies

    @users_errors()
    def handle_output(self, context: dg.OutputContext, obj: "pa.Table") -> None:
        asset = context.asset_key.path[-1]
        store, table = self._store(context.asset_key, context.run_id), TABLE_OF.get(asset, asset)
        if not context.has_asset_partitions:
            store.replace(table, Partition(), obj)
            return
        for key in sorted(context.asset_partition_keys):
            partition = to_partition(key)
            store.upsert(table, partition, rows_of(obj, asset, partition))

    @users_errors()
    def load_input(self, context: dg.InputContext) -> "pa.Table":
        store = self._store(context.asset_key, _run_of(context))
        table = context.asset_key.path[-1]
        if not context.has_asset_partitions:
            return store.read(table)
        return store.read(table, map(to_partition, sorted(context.asset_partition_keys)))

    def _store(self, key: dg.AssetKey, run_id: str) -> "ResultsStore":
        studies = {study.name: study for study in self._studies}
        return store_of_run(studies[key.path[0]], run_id)


def _run_of(context: dg.InputContext) -> str:
    """The run that an input is loaded in."""
    try:
        return context.step_context.run_id
    except dg.DagsterInvariantViolationError:
        return "none"  # a context that is made by hand belongs to no run
