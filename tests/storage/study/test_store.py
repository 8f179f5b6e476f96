"""The results store: schemas, partitions, damage, ownership."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.tables.schemas import TABLES, arrow_schema
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.study.log_files import all_logs, running_logs
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.rows import grading, item, solution, table
from tests.studies import write_study


def filled(store: ResultsStore) -> ResultsStore:
    """Two generate conditions of two items, each graded by one judge."""
    for condition in ("g1", "g2"):
        rows = [
            solution(id, condition_id=condition, sample_uuid=f"{condition}{id}")
            for id in ("q1", "q2")
        ]
        store.upsert("solutions", Partition((condition,)), table("solutions", rows))
        judged = [grading(id, gen_condition_id=condition) for id in ("q1", "q2")]
        store.upsert("gradings", Partition((condition, "j1")), table("gradings", judged))
    return store


def files(store: ResultsStore) -> dict[str, bytes | None]:
    return {key: store.backend.read(key) for key in store.backend.list("") if ".locks" not in key}


def versions(store: ResultsStore) -> dict[str, Any]:
    """What changes whenever a table is written, whatever is written."""
    keys = [key for key in store.backend.list("") if key.endswith(".parquet")]
    if isinstance(store.backend, LocalBackend):
        return {key: (store.backend.root / key).stat().st_mtime_ns for key in keys}
    return {key: store.backend.head(key)["LastModified"] for key in keys}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", TABLES)
def test_what_has_never_been_written_has_no_rows(store: ResultsStore, name: str) -> None:
    schema = arrow_schema(TABLES[name])
    assert store.read(name).schema == schema
    assert store.read(name).num_rows == 0
    assert store.read(name, [Partition(("g9",)), Partition(("g9", "j9"))]).num_rows == 0
    some = list(TABLES[name].key)[:2]
    assert store.read(name, [Partition(("g9",))], some).column_names == some
    assert store.read(name, []).num_rows == 0


def test_reading_creates_nothing(store: ResultsStore) -> None:
    assert store.read("solutions").num_rows == 0
    assert store.read_json("dataset_locks.json") is None
    assert store.backend.list("") == store.backend.folders("") == []


def test_partitions_are_read_together_or_alone(store: ResultsStore) -> None:
    filled(store)
    assert store.read("solutions").num_rows == 4
    assert store.read("solutions", [Partition(("g2",))])["sample_uuid"].to_pylist() == [
        "g2q1",
        "g2q2",
    ]
    assert store.read(
        "solutions", [Partition(("g2",)), Partition(("g9",))], ["item_id"]
    ).to_pydict() == {"item_id": ["q1", "q2"]}
    assert store.partitions("solutions") == [("g1",), ("g2",)]
    assert store.partitions("gradings") == [("g1", "j1"), ("g2", "j1")]


def test_stages_book_apart(store: ResultsStore) -> None:
    row = {"run_id": "r", "condition_id": "g1", "model": "m", "calls": 1, "priced": True}
    row |= {"batch": False, "created_at": "t"}
    store.upsert("bookings", Partition(("g1",)), table("bookings", [{**row, "stage": "generate"}]))
    graded = {**row, "stage": "grade", "condition_id": "j1", "gen_condition_id": "g1"}
    store.upsert("bookings", Partition(("g1", "j1")), table("bookings", [graded]))
    assert store.read("bookings")["stage"].to_pylist() == ["generate", "grade"]
    assert store.partitions("bookings") == [("g1",), ("g1", "j1")]


@pytest.mark.parametrize(
    ("name", "rows"),
    [("solutions", 4), ("gradings", 4), ("items", 2), ("bookings", 1), ("ledger", 1)],
)
def test_pandas_reads_every_table_by_its_path(store: ResultsStore, name: str, rows: int) -> None:
    filled(store)
    store.replace("items", Partition(()), table("items", [item("q1"), item("q2")]))
    row = {"run_id": "r", "stage": "grade", "condition_id": "j1", "model": "m", "calls": 1}
    row |= {"priced": True, "batch": False, "created_at": "t"}
    store.upsert("bookings", Partition(("g1", "j1")), table("bookings", [row]))
    store.derive("ledger", lambda _: table("ledger", [row]))
    if isinstance(store.backend, LocalBackend):
        draft = store.backend.root / "solutions.parquet" / ".0123.draft"
        draft.write_bytes(b"of a killed writer")
    frame = pd.read_parquet(store.backend.uri(f"{name}.parquet"))
    assert len(frame) == rows
    assert list(frame.columns) == TABLES[name].column_names
    assert store.read(name).num_rows == rows


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("item_id", pa.nulls(1, pa.string()), "item_id"),
        ("epoch", pa.nulls(1, pa.int32()), "epoch"),
        ("epoch", pa.array(["first"]), "first"),
        ("epoch", pa.array([1.5]), "1.5"),
        ("epoch", pa.array([2**40]), "1099511627776"),
        ("usd", pa.array(["free"]), "free"),
        ("solution", pa.array([["a", "list"]]), "list"),
        ("input_tokens", pa.array([{"n": 1}]), "struct"),
    ],
)
def test_rows_that_break_the_schema_are_refused_and_nothing_is_written(
    store: ResultsStore, column: str, values: pa.Array, reason: str
) -> None:
    filled(store)
    before = files(store)
    rows = table("solutions", [solution("q9")])
    rows = rows.set_column(rows.column_names.index(column), column, values)
    for write in (store.upsert, store.replace):
        with pytest.raises(StoreError, match=f"table solutions of toy refuses rows: .*{reason}"):
            write("solutions", Partition(("g1",)), rows)
    assert files(store) == before


def test_a_missing_column_is_refused(store: ResultsStore) -> None:
    rows = table("solutions", [solution()]).drop_columns(["usd"])
    with pytest.raises(StoreError, match=r"table solutions of toy refuses rows: .*usd"):
        store.upsert("solutions", Partition(("g1",)), rows)
    assert files(store) == {}


def test_columns_come_in_the_order_of_the_schema(store: ResultsStore) -> None:
    rows = table("solutions", [solution()])
    store.upsert("solutions", Partition(("g1",)), rows.select(rows.column_names[::-1]))
    assert store.read("solutions").equals(rows)


def test_of_many_rows_no_other_columns_are_decoded(
    disk: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = pq.ParquetFile.read, []

    def watched(file: pq.ParquetFile, columns: list[str], **options: Any) -> pa.Table:
        asked.append(len(columns))
        return read(file, columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read", watched)
    every = len(TABLES["items"].columns)
    for count, decoded in ((1_000, [every]), (1_001, [2, 2])):
        path = disk.backend.root / "items.parquet"  # type: ignore[attr-defined]
        path.parent.mkdir(exist_ok=True)
        pq.write_table(table("items", [item(f"q{n}") for n in range(count)]), path)
        asked.clear()
        for _ in range(2):
            rows = disk.read("items", columns=["item_id", "input"])
            assert (rows.num_rows, rows.column_names) == (count, ["item_id", "input"])
        assert asked == decoded


def test_what_a_row_replaced_is_remembered(store: ResultsStore) -> None:
    filled(store)
    new = solution("q1", text="5", run_id="run2", sample_uuid="new")
    result = store.upsert("solutions", Partition(("g1",)), table("solutions", [new]))
    assert result.replaced["sample_uuid"].to_pylist() == ["g1q1"]
    [lost] = store.read("replaced").to_pylist()
    assert (lost["stage"], lost["run_id"], lost["condition_id"]) == ("generate", "run1", "g1")
    assert (lost["gen_condition_id"], lost["sample_uuid"], lost["usd"]) == (None, "g1q1", 0.25)
    again = grading("q1", score=0.5, gen_condition_id="g2", run_id="run2", sample_uuid="new")
    store.upsert("gradings", Partition(("g2", "j1")), table("gradings", [again]))
    [lost] = store.read("replaced", [Partition(("g2", "j1"))]).to_pylist()
    assert (lost["stage"], lost["condition_id"], lost["gen_condition_id"]) == ("grade", "j1", "g2")


def test_storing_the_same_rows_again_changes_no_file(store: ResultsStore) -> None:
    filled(store)
    before = versions(store)
    filled(store)
    assert versions(store) == before


def test_a_file_names_its_table_after_a_second_write(store: ResultsStore) -> None:
    filled(store)
    booking = {"stage": "grade", "condition_id": "j1", "gen_condition_id": "g1", "model": "m"}
    booking |= {"calls": 1, "priced": True, "batch": False, "created_at": "t"}
    for run in ("r1", "r2"):
        rows = {
            "solutions": solution(text=run, sample_uuid=run, condition_id="g1"),
            "gradings": grading(run, gen_condition_id="g1"),
            "bookings": {**booking, "run_id": run},
        }
        for name, row in rows.items():
            key = ("g1",) if name == "solutions" else ("g1", "j1")
            store.upsert(name, Partition(key), table(name, [row]))
    for name in (*rows, "replaced"):
        written = pq.read_schema(pa.BufferReader(store.backend.read(store.keys(name)[0])))
        assert written.equals(arrow_schema(TABLES[name]), check_metadata=True)


def test_derived_partitions_are_written_anew(store: ResultsStore) -> None:
    store.replace("items", Partition(()), table("items", [item("q1"), item("q2")]))
    store.replace("items", Partition(()), table("items", [item("q3")]))
    assert store.read("items")["item_id"].to_pylist() == ["q3"]
    assert store.uri("items") == store.backend.uri("items.parquet")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"PAR1",
        lambda data: b"no parquet at all",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data[:-8] + b"\xff\xff\xff\xff" + data[-4:],
        lambda data: b"\x00" * len(data),
    ],
)
def test_a_damaged_file_is_named_and_left_as_it_is(store: ResultsStore, damage: Any) -> None:
    filled(store)
    path = store.uri("solutions", Partition(("g1",)))
    store.backend.update("solutions.parquet/g1.parquet", damage)
    before = files(store)
    for attempt in (
        lambda: store.read("solutions"),
        lambda: store.read("solutions", [Partition(("g1",))], ["usd"]),
        lambda: store.upsert("solutions", Partition(("g1",)), table("solutions", [solution()])),
    ):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert str(caught.value).startswith(f"{path} is not a readable solutions table: ")
        assert "Nothing was changed." in str(caught.value)
    assert files(store) == before
    assert store.read("solutions", [Partition(("g2",))]).num_rows == 2


@given(data=st.data())
def test_a_truncated_file_is_never_taken_for_a_table(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = ResultsStore(LocalBackend(tmp_path_factory.mktemp("store")), "toy")
    store.upsert("solutions", Partition(("g1",)), table("solutions", [solution()]))
    path = Path(store.uri("solutions", Partition(("g1",))))
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(StoreError, match="not a readable solutions table"):
        store.read("solutions")


def test_another_programs_parquet_is_no_table_of_ours(disk: ResultsStore) -> None:
    store = disk
    path = Path(store.uri("solutions", Partition(("g1",))))
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"item_id": ["q1"], "answer": ["4"]}), path)
    with pytest.raises(StoreError, match="not a readable solutions table"):
        store.read("solutions")
    pq.write_table(table("solutions", [solution()]).set_column(7, "epoch", pa.array(["x"])), path)
    with pytest.raises(StoreError, match="not a readable solutions table"):
        store.read("solutions")


SPENT = {"run_id": "r", "model": "m", "calls": 1, "priced": True, "batch": False}
SPENT |= {"created_at": "t"}


def booking(stage: str, condition: str, graded: str | None = None) -> dict[str, Any]:
    return {**SPENT, "stage": stage, "condition_id": condition, "gen_condition_id": graded}


@pytest.mark.parametrize(
    ("name", "own", "other", "foreign", "said"),
    [
        ("solutions", ("g1",), ("g2",), solution(condition_id="g2"), "condition_id is g2"),
        (
            "gradings",
            ("g1", "j1"),
            ("g2", "j1"),
            grading(gen_condition_id="g2"),
            "gen_condition_id is g2",
        ),
        ("bookings", ("g1",), ("g2",), booking("generate", "g2"), "condition_id is g2"),
        ("bookings", ("g1",), ("g1", "j1"), booking("grade", "j1", "g1"), "stage is grade"),
        ("bookings", (), ("g1",), booking("generate", "g1"), "stage is generate"),
        (
            "bookings",
            ("g1", "j1"),
            ("g2", "j1"),
            booking("grade", "j1", "g2"),
            "gen_condition_id is g2",
        ),
    ],
)
def test_a_file_of_another_partition_is_refused_by_whoever_reads_it(
    disk: ResultsStore,
    name: str,
    own: tuple[str, ...],
    other: tuple[str, ...],
    foreign: dict[str, Any],
    said: str,
) -> None:
    own, other = Partition(own), Partition(other)
    disk.upsert(name, other, table(name, [foreign]))
    assert disk.read(name).num_rows == 1
    copied = Path(disk.uri(name, own))
    copied.parent.mkdir(parents=True, exist_ok=True)
    copied.write_bytes(Path(disk.uri(name, other)).read_bytes())
    for attempt in (
        lambda: disk.read(name),
        lambda: disk.read(name, [own], columns=["run_id"]),
        lambda: disk.upsert(name, own, table(name, [])),
    ):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert str(caught.value).startswith(
            f"{copied} holds rows of another partition: {said} there.\n"
        )
        assert "move it away: the next run rebuilds the partition" in str(caught.value)
    assert disk.read(name, [other]).num_rows == 1
    copied.unlink()
    assert disk.read(name).num_rows == 1


def test_a_file_without_figures_of_its_columns_is_read(disk: ResultsStore) -> None:
    """Not every writer of Parquet keeps them."""
    path = Path(disk.uri("solutions", Partition(("g1",))))
    path.parent.mkdir(parents=True)
    pq.write_table(table("solutions", [solution()]), path, write_statistics=False)
    assert disk.read("solutions").num_rows == 1


def test_a_file_where_a_folder_should_be(disk: ResultsStore, tmp_path: Path) -> None:
    store = disk
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "solutions.parquet").write_text("in the way")
    for attempt in (
        lambda: store.read("solutions", [Partition(("g1",))]),
        lambda: store.upsert("solutions", Partition(("g1",)), table("solutions", [solution()])),
    ):
        with pytest.raises(StoreError, match=r"cannot read .*g1\.parquet: a file is in the place"):
            attempt()


def test_a_full_disk_leaves_the_old_file_and_no_litter(
    disk: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(disk)
    before = files(store)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"cannot write .*g1\.parquet: No space left on device"):
        store.upsert("solutions", Partition(("g1",)), table("solutions", [solution("q9")]))
    assert files(store) == before


def test_json_documents(store: ResultsStore) -> None:
    store.update_json("a/b.json", lambda found: {**found, "é": 1})
    store.update_json("a/b.json", lambda found: {**found, "two": [2]})
    assert store.read_json("a/b.json") == {"é": 1, "two": [2]}
    text = (store.backend.read("a/b.json") or b"").decode()
    assert json.loads(text) == {"é": 1, "two": [2]} and "é" in text and text.endswith("\n")


@pytest.mark.parametrize("text", ["{", "", "[1]", "\udcff", "[" * 100_000])
def test_a_damaged_document_is_named_and_left_as_it_is(store: ResultsStore, text: str) -> None:
    path, damaged = store.backend.uri("study.json"), text.encode(errors="surrogateescape")
    store.backend.update("study.json", lambda _: damaged)
    for attempt in (
        lambda: store.read_json("study.json"),
        lambda: store.update_json("study.json", lambda found: {"new": 1}),
    ):
        with pytest.raises(StoreError, match=f"{path} is no.* JSON"):
            attempt()
    assert store.backend.read("study.json") == damaged


def test_a_study_directory_belongs_to_one_config(tmp_path: Path) -> None:
    one = load_study(write_study(tmp_path / "a", extra={"output_dir": "../out"}))
    two = load_study(write_study(tmp_path / "b", extra={"output_dir": "../out"}))
    assert Path(one.location) == Path(two.location)
    open_store(one).take_ownership(one)
    open_store(one).take_ownership(one)
    with pytest.raises(StoreError) as caught:
        open_store(two)
    message = str(caught.value)
    assert one.location in message and str(two.config_path) in message
    assert "../../a/study.yaml" in message
    with pytest.raises(StoreError, match="was made by another config"):
        ResultsStore(LocalBackend(Path(two.location)), "toy").take_ownership(two)
    assert open_store(one).read_json("study.json")["config"] == "../../a/study.yaml"  # type: ignore[index]


def test_a_config_that_only_stored_items_owns_nothing(tmp_path: Path) -> None:
    one = load_study(write_study(tmp_path / "a", extra={"output_dir": "../out"}))
    two = load_study(write_study(tmp_path / "b", extra={"output_dir": "../out"}))
    with open_store(one).beginning(one, "run 1"):
        pass
    with open_store(two).beginning(two, "run 2"):
        pass
    # The items are those of the second config now: the first must not call for them.
    with pytest.raises(StoreError, match=r"another config began in .*: \.\./\.\./b/study\.yaml"):
        open_store(one).take_ownership(one)
    assert not open_store(one).is_owned()
    open_store(two).take_ownership(two)
    assert open_store(two).is_owned()
    assert sorted(path.name for path in (tmp_path / "out/toy").glob("*.json")) == ["study.json"]
    with pytest.raises(StoreError, match="was made by another config"):
        open_store(one)
    with open_store(two).beginning(two, "run 3"):
        pass


def test_a_project_may_be_moved(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "here"))
    open_store(study).take_ownership(study)
    (tmp_path / "here").rename(tmp_path / "there")
    moved = load_study(tmp_path / "there" / "study.yaml")
    assert open_store(moved).read("solutions").num_rows == 0


def test_an_edited_config_is_the_same_config(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    open_store(study).take_ownership(study)
    edited = load_study(write_study(tmp_path, prompts=["short", "long"]))
    assert open_store(edited).read("solutions").num_rows == 0


def test_tables_of_another_schema_version_are_refused(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    store = open_store(study)
    store.take_ownership(study)
    store.update_json("study.json", lambda found: {**found, "schema": "0"})
    with pytest.raises(StoreError, match=r"has table schema '0', this version reads \['1', '2'\]"):
        open_store(study)


def test_results_of_itemeval_are_not_mixed_with_ours(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    Path(study.location).mkdir(parents=True)
    pq.write_table(pa.table({"study": ["toy"]}), Path(study.location) / "solutions.parquet")
    with pytest.raises(StoreError, match="holds results of itemeval"):
        open_store(study)


def test_files_of_the_operating_system_are_no_tables_and_no_logs(store: ResultsStore) -> None:
    filled(store)
    partitions = store.partitions("solutions")
    backend = store.backend
    for key in ("solutions.parquet/._g1.parquet", "logs/running/._a.eval", "logs/.trash/a.eval"):
        backend.update(key, lambda _: b"x")
    assert store.partitions("solutions") == partitions
    assert (running_logs(backend), all_logs(backend)) == ([], [])
