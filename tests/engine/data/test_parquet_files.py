"""Folders and patterns of Parquet files: one table in parts."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itemeval_assets.core.config.sections import BenchmarkConfig, DatasetConfig
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.engine.data.datasets import load_items, resolve_revision


def write(path: Path, ids: str, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {"id": list(ids), "question": [f"{id}?" for id in ids], **columns}
    pq.write_table(pa.table(table), path)


def load(base: Path, id: str, **mapping: Any) -> list[dict[str, Any]]:
    found = BenchmarkConfig.model_validate(
        {
            "adapter": "local",
            "datasets": [{"id": id}],
            "mapping": {"id": "id", "input": "question", **mapping},
        }
    )
    return load_items(found, {id: "r0"}, base).rows


def revision(base: Path, id: str) -> str:
    return resolve_revision(DatasetConfig(id=id), "local", base)


@pytest.mark.parametrize("id", ["data", "data/", "data/*.parquet", "d*/part-?.parquet"])
def test_the_files_of_a_folder_or_pattern_in_the_order_of_their_names(
    tmp_path: Path, id: str
) -> None:
    base = tmp_path / "a[1]b*"  # no pattern is what stands before the study
    for name, ids in (("part-2", "cd"), ("part-10", "e"), ("part-1", "ab")):
        if len(name) < 7 or "?" not in id:
            write(base / "data" / f"{name}.parquet", ids)
    for name in ("README.md", "_SUCCESS", ".part-3.parquet"):
        (base / "data" / name).write_text("x")
    write(base / "data" / "inner" / "part-4.parquet", "f")
    found = [item["item_id"] for item in load(base, id)]
    assert found == (list("abcd") if "?" in id else list("abecd"))


def test_a_pattern_over_all_levels(tmp_path: Path) -> None:
    write(tmp_path / "data" / "x" / "1.parquet", "a")
    write(tmp_path / "data" / "y" / "1.parquet", "b")
    assert [item["item_id"] for item in load(tmp_path, "data/**/*.parquet")] == ["a", "b"]


def test_the_revision_is_a_hash_of_names_and_hashes(tmp_path: Path) -> None:
    for name, ids in (("b", "x"), ("a", "y")):
        write(tmp_path / "data" / f"{name}.parquet", ids)
    lines = [
        f"{hashlib.sha256((tmp_path / 'data' / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("a.parquet", "b.parquet")
    ]
    before = hashlib.sha256("".join(lines).encode()).hexdigest()[:40]
    assert revision(tmp_path, "data") == before == revision(tmp_path, "data/*.parquet")
    (tmp_path / "data" / "notes.txt").write_text("no data")
    assert revision(tmp_path, "data") == before
    (tmp_path / "data" / "b.parquet").rename(tmp_path / "data" / "c.parquet")
    assert revision(tmp_path, "data") != before


def test_the_order_of_columns_and_a_column_without_values_are_no_other_schema(
    tmp_path: Path,
) -> None:
    write(tmp_path / "data" / "1.parquet", "a", topic=[None])
    pq.write_table(
        pa.table({"topic": ["t"], "question": ["b?"], "id": ["b"]}), tmp_path / "data" / "2.parquet"
    )
    assert len(load(tmp_path, "data", metadata=["topic"])) == 2


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"n": ["1"]},
            "1.parquet and 2.parquet in {base}/data differ: column 'n' is int64 in the first and "
            "string in the second; write all files with the same types",
        ),
        ({}, "differ: there is no column 'n' in 2.parquet; write all files with the same columns"),
        ({"n": [1], "m": [1]}, "differ: there is no column 'm' in 1.parquet"),
    ],
)
def test_two_files_with_other_columns_are_named(
    tmp_path: Path, columns: dict[str, Any], said: str
) -> None:
    write(tmp_path / "data" / "1.parquet", "a", n=[1])
    write(tmp_path / "data" / "2.parquet", "b", **columns)
    with pytest.raises(DatasetError) as caught:
        load(tmp_path, "data")
    assert said.format(base=tmp_path) in str(caught.value)


def test_a_file_and_its_row_are_named(tmp_path: Path) -> None:
    write(tmp_path / "data" / "1.parquet", "ab")
    write(tmp_path / "data" / "2.parquet", "ca")
    with pytest.raises(DatasetError) as caught:
        load(tmp_path, "data")
    assert "in dataset 'data' (1.parquet, row 1) and in dataset 'data' (2.parquet, row 2)" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("empty", "no file in {base}/empty matches *.parquet. Adapter `local` reads one file, or"),
        ("data/x*.parquet", "no file in {base}/data matches x*.parquet."),
        ("data/*", "* matches notes.csv in {base}/data, too: only Parquet files are read as one"),
        ("none", "'none' is no file ({base}/none); paths are relative to the config file"),
    ],
)
def test_what_stands_for_no_parquet_files(tmp_path: Path, id: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "data" / "1.parquet", "a")
    (tmp_path / "data" / "notes.csv").write_text("id\n1\n")
    for look in (load, revision):
        with pytest.raises(DatasetError) as caught:
            look(tmp_path, id)
        assert said.format(base=tmp_path) in str(caught.value)
