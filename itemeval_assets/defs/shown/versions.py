"""Data versions by partition: what makes the children of a changed partition stale, and no others.

A partition's version is made of the runs that wrote its rows. It changes when rows come or are
replaced, a run that changed nothing keeps it, and most partitions of a run share it.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from itemeval_assets.core.design.partitions import GENERATE, RUBRIC, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.dagster_io.io_managers import TABLE_OF
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import asset_key

if TYPE_CHECKING:
    import pyarrow as pa

    from itemeval_assets.storage.study.store import ResultsStore

_READ_BY_GRADINGS = (GENERATE.table, RUBRIC.table)


def content_version(rows: "pa.Table") -> dg.DataVersion:
    """A version that changes when, and only when, the rows do."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return dg.DataVersion(_digest(sink.getvalue().to_pybytes()))


def version_of_runs(rows: "pa.Table") -> str:
    """The version of a partition, from the columns of its rows that name their runs."""
    found = rows.group_by(rows.column_names).aggregate([]).to_pylist()
    return _digest(repr(sorted(str(tuple(row.values())) for row in found)).encode())


def version_after(store: "ResultsStore", asset: str, partition: Partition, new: "pa.Table") -> str:
    """The version of a partition once these rows of it are stored.

    A solution or a rubric that failed again has changed nothing for those who grade by it.
    """
    from itemeval_assets.core.tables.upsert import upsert

    table = TABLE_OF.get(asset, asset)
    if new.num_rows:
        stored = upsert(TABLES[table], store.read(table, [partition]), new).rows
    else:
        columns = ["run_id", "error"] if asset in _READ_BY_GRADINGS else ["run_id"]
        stored = store.read(table, [partition], columns)
    if asset in _READ_BY_GRADINGS:
        stored = stored.filter(stored["error"].is_null())
    return version_of_runs(stored.select(["run_id"]))


def outputs_by_partition(
    context: dg.AssetExecutionContext,
    study: Study,
    asset: str,
    versions: Mapping[Partition, str],
    output: Callable[[dg.DataVersion], Any],
) -> Iterator[Any]:
    """Yield the output of a run's partitions, after which each has its own version.

    Dagster gives one version to all of them: here the most frequent one. The others are recorded
    once more, as they were but for the version.
    """
    [(most, _)] = Counter(versions.values()).most_common(1)
    yield output(dg.DataVersion(most))
    keys = PartitionKeys(study)
    for partition, version in versions.items():
        if version != most:
            wanted = dg.AssetRecordsFilter(
                asset_key=asset_key(study, asset), asset_partitions=[keys.of(partition)]
            )
            yield _recorded_again(context.instance, wanted, version)


def _recorded_again(
    instance: dg.DagsterInstance, wanted: dg.AssetRecordsFilter, version: str
) -> dg.AssetMaterialization:
    [record] = instance.fetch_materializations(wanted, limit=1).records
    found = record.asset_materialization
    assert found is not None
    return found._replace(tags={**(found.tags or {}), DATA_VERSION_TAG: version})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
