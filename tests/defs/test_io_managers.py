"""The IO manager: what a run writes comes back, for one partition, a range, or a whole table."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.dagster_io.io_managers import StudyTablesIOManager
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.naming.partitions import generate_partitions, grade_partitions
from tests.defs.runs import RANGE, Runs

PartitionsDefinition = dg.StaticPartitionsDefinition | dg.MultiPartitionsDefinition


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def write(
    runs: Runs, asset: str, rows: pa.Table, span: list[Partition], instance: dg.DagsterInstance
) -> None:
    """A range run of an asset that returns `rows`."""

    @dg.asset(
        key=asset_key(runs.study, asset),
        partitions_def=partitions_of(runs, asset),
        io_manager_key="study_tables",
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def made() -> pa.Table:
        return rows

    ends = (runs.keys.of(span[0]), runs.keys.of(span[-1]))
    dg.materialize(
        [made],
        resources={"study_tables": StudyTablesIOManager([runs.study])},
        instance=instance,
        tags=dict(zip(RANGE, ends, strict=True)),
    )


def partitions_of(runs: Runs, asset: str) -> PartitionsDefinition:
    single = asset in ("solutions", "generation_ledger")
    return generate_partitions(runs.study) if single else grade_partitions(runs.study)


def read(runs: Runs, asset: str, **partitions: Any) -> pa.Table:
    context = dg.build_input_context(asset_key=asset_key(runs.study, asset), **partitions)
    return StudyTablesIOManager([runs.study]).load_input(context)


def test_a_range_is_split_into_partitions_and_read_back(
    finished: Runs, fresh: Runs, instance
) -> None:
    span = fresh.study.generate_partitions()[1:3]
    rows = finished.store.read("solutions", span)
    write(fresh, "solutions", rows, span, instance)
    assert fresh.store.partitions("solutions") == sorted(span)
    first, last = map(fresh.keys.of, span)
    back = read(
        fresh,
        "solutions",
        asset_partitions_def=generate_partitions(fresh.study),
        asset_partition_key_range=dg.PartitionKeyRange(first, last),
    )
    order = [("condition_id", "ascending"), ("item_id", "ascending")]
    assert back.sort_by(order).equals(rows.sort_by(order))
    one = read(
        fresh,
        "solutions",
        asset_partitions_def=generate_partitions(fresh.study),
        partition_key=first,
        asset_partition_key_range=dg.PartitionKeyRange(first, first),
    )
    assert one.equals(fresh.store.read("solutions", [span[0]])) and one.num_rows == 3


def test_a_range_of_the_grid_is_split_into_pairs(finished: Runs, fresh: Runs, instance) -> None:
    span = fresh.study.grade_partitions()[:4]
    for asset in ("gradings", "gradings_long"):
        rows = finished.store.read(asset, span)
        write(fresh, asset, rows, span, instance)
        assert set(fresh.store.partitions(asset)) == set(span)
        for pair in span:
            assert fresh.store.read(asset, [pair]).equals(finished.store.read(asset, [pair]))


def test_tables_keep_what_a_run_did_not_make(copied: Runs, instance) -> None:
    span = copied.study.grade_partitions()[:1]
    write(copied, "gradings", copied.store.read("gradings", span).slice(0, 1), span, instance)
    assert copied.store.read("gradings", span).num_rows == 3


def test_rows_of_stage_ledgers_are_bookings(finished: Runs, fresh: Runs, instance) -> None:
    span = fresh.study.generate_partitions()
    rows = finished.store.read("bookings", span)
    write(fresh, "generation_ledger", rows, span, instance)
    assert fresh.store.read("bookings", span).equals(rows) and rows.num_rows == 4


def test_a_table_without_partitions_is_read_whole(finished: Runs) -> None:
    assert read(finished, "items").num_rows == 3


def test_what_was_never_written_is_an_empty_table(fresh: Runs) -> None:
    assert read(fresh, "items").num_rows == 0
