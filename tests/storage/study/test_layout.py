"""Where things lie: every key inside the study, and every partition back from its file."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.conditions.ids import condition_id
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.storage.study import layout

# Ids of whatever names a user may think of.
IDS = st.lists(
    st.text(max_size=30) | st.sampled_from(["..", "/", "../../etc/passwd", "a\x00b", "~"]),
    min_size=1,
    max_size=3,
).map(lambda parts: condition_id(parts, {"parts": parts})[0])
GENERATE = st.tuples(IDS).map(Partition)
GRADE = st.tuples(IDS, IDS).map(Partition)
RUBRIC = st.text(max_size=30).map(lambda name: Partition(condition_id(["rubric", name], {})[:1]))
PAID = GENERATE | RUBRIC | GRADE
PARTITIONED = {
    "solutions": GENERATE,
    "item_rubrics": RUBRIC,
    "gradings": GRADE,
    "gradings_long": GRADE,
    "bookings": PAID,
    "log_index": PAID,
    "replaced": PAID,
}


@pytest.mark.parametrize("table", TABLES)
@given(data=st.data())
def test_every_file_and_folder_is_known_for_what_it_is(table: str, data: st.DataObject) -> None:
    partition = data.draw(PARTITIONED.get(table, st.just(Partition())))
    keys = [layout.table_key(table, partition), layout.manifest_key("r"), *layout.IF_DELETED]
    keys += [layout.EXPORT_LONG_CSV, layout.EXPORT_CELLS_PARQUET, layout.RERUNS]
    keys += [layout.log_key(partition, "2026-11-26T09:00:00+00:00", "task"), "logs/running/x.eval"]
    for key in keys:
        assert layout.is_file(key) is True, key
        for parent in list(PurePosixPath(key).parents)[:-1]:
            assert layout.is_file(str(parent)) is False, parent


@pytest.mark.parametrize("key", ["notes.txt", "notes", "logs/notes", "x/y.eval"])
def test_what_a_user_puts_beside_it_may_be_a_file_or_a_folder(key: str) -> None:
    assert layout.is_file(key) is None


@pytest.mark.parametrize("table", PARTITIONED)
@given(data=st.data())
def test_a_partition_is_found_again_from_its_file(table: str, data: st.DataObject) -> None:
    partition = data.draw(PARTITIONED[table])
    key = layout.table_key(table, partition)
    assert key.startswith(f"{table}.parquet/") and key.endswith(".parquet")
    assert layout.partition_of(table, key) == partition


@given(PAID)
def test_nothing_leaves_the_study_directory(partition: Partition) -> None:
    keys = [
        *(layout.table_key(table, partition) for table in PARTITIONED),
        layout.log_dir(partition),
        layout.log_key(partition, "2026-01-01T00:00:00+00:00", "task"),
        layout.claim_key(partition),
    ]
    for key in keys:
        path = PurePosixPath(key)
        assert not path.is_absolute() and ".." not in path.parts
        assert all(0 < len(part) <= 255 and "\x00" not in part for part in path.parts)


@given(st.lists(GENERATE | GRADE, unique=True, max_size=5))
def test_two_partitions_never_share_a_file(partitions: list[Partition]) -> None:
    for table in ("bookings", "log_index", "replaced"):
        keys = {layout.table_key(table, partition) for partition in partitions}
        assert len(keys) == len(partitions)
    assert len({layout.claim_key(partition) for partition in partitions}) == len(partitions)


def test_golden_names() -> None:
    assert layout.table_key("items") == "items.parquet"
    assert layout.table_key("solutions", Partition(("g",))) == "solutions.parquet/g.parquet"
    assert layout.table_key("gradings", Partition(("g", "j"))) == "gradings.parquet/g/j.parquet"
    assert (
        layout.table_key("gradings_long", Partition(("g", "j")))
        == "gradings_long.parquet/g/j.parquet"
    )
    assert layout.table_key("bookings", Partition(("g",))) == "bookings.parquet/generate/g.parquet"
    assert (
        layout.table_key("bookings", Partition(("g", "j"))) == "bookings.parquet/grade/g/j.parquet"
    )
    assert layout.table_key("ledger") == "ledger.parquet"
    assert (
        layout.table_key("log_index", Partition(("g",))) == "log_index.parquet/generate/g.parquet"
    )
    assert layout.log_dir(Partition(("g",))) == "logs/generate/g"
    assert layout.log_dir(Partition(("g", "j"))) == "logs/grade/j"
    assert layout.manifest_key("run1") == "manifests/run1.json"
    assert layout.DATASET_LOCKS == "dataset_locks.json"
    assert layout.EXPORT_LONG_PARQUET == "export/gradings_long.parquet"
    assert layout.EXPORT_LONG_CSV == "export/gradings_long.csv"
    assert layout.EXPORT_LEDGER_CSV == "export/ledger.csv"
    assert {layout.table_folder(name) for name in TABLES} >= {"items.parquet", "ledger.parquet"}


def test_logs_sort_by_time_and_name_the_solutions_they_graded() -> None:
    early = layout.log_key(Partition(("g", "j")), "2026-01-01T00:00:00+00:00", "t1")
    late = layout.log_key(Partition(("g", "j")), "2026-01-01T00:00:01+00:00", "t0")
    assert early < late
    assert early == "logs/grade/j/2026-01-01T00-00-00-00-00_g_t1.eval"
