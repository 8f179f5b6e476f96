"""Loading datasets: formats, columns, ids, revisions, and what is refused."""

import csv
import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itemeval_assets.core.config import BenchmarkConfig, DatasetConfig
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text import well_formed
from itemeval_assets.engine.datasets import load_items, resolve_revision

ROWS = [
    {"id": "a", "n": 1, "question": "1+1?", "answer": "2", "scheme": "1 point", "topic": "sums"},
    {"id": "b", "n": 2, "question": "Über {id}?\n", "answer": "4", "scheme": None, "topic": "é"},
]
MAPPING = {
    "id": "id",
    "input": "question",
    "target": "answer",
    "grading_scheme": "scheme",
    "metadata": ["topic"],
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def benchmark(*entries: dict[str, Any], adapter: str = "local", **mapping: Any) -> BenchmarkConfig:
    return BenchmarkConfig.model_validate(
        {"adapter": adapter, "datasets": list(entries), "mapping": {**MAPPING, **mapping}}
    )


def load(found: BenchmarkConfig, base: Path) -> list[dict[str, Any]]:
    return load_items(found, {dataset.id: "r0" for dataset in found.datasets}, base)


def load_rows(base: Path, rows: list[dict[str, Any]], **mapping: Any) -> list[dict[str, Any]]:
    """The items of some rows, by way of a JSON-lines file."""
    write_jsonl(base / "rows.jsonl", rows)
    return load(benchmark({"id": "rows.jsonl"}, **mapping), base)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_bytes("\n".join(lines).encode(errors="surrogatepass"))


def write_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows), encoding="utf-8")


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


WRITERS: dict[str, Callable[[Path, list[dict[str, Any]]], None]] = {
    "items.jsonl": write_jsonl,
    "items.json": write_json,
    "items.csv": write_csv,
    "items.parquet": write_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_items(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, ROWS)
    one, two = load(benchmark({"id": name}), tmp_path)
    assert one == {
        "item_id": "a",
        "dataset_id": name,
        "dataset_revision": "r0",
        "input": "1+1?",
        "target": "2",
        "grading_scheme": "1 point",
        "metadata_json": '{"topic":"sums"}',
    }
    assert (two["item_id"], two["input"], two["metadata_json"]) == (
        "b",
        "Über {id}?\n",
        '{"topic":"é"}',
    )
    assert two["grading_scheme"] == ("" if name.endswith("csv") else None)


@pytest.mark.parametrize("name", WRITERS)
def test_a_limit_takes_the_first_rows(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, ROWS)
    items = load(benchmark({"id": name, "limit": 1}), tmp_path)
    assert [item["item_id"] for item in items] == ["a"]
    assert len(load(benchmark({"id": name, "limit": 9}), tmp_path)) == 2


def test_datasets_come_one_after_the_other(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "one.jsonl", ROWS)
    write_csv(tmp_path / "two.csv", [{**row, "id": f"{row['id']}2"} for row in ROWS])
    found = benchmark({"id": "two.csv"}, {"id": "one.jsonl"})
    items = load_items(found, {"one.jsonl": "r1", "two.csv": "r2"}, tmp_path)
    assert [(i["dataset_id"], i["dataset_revision"], i["item_id"]) for i in items] == [
        ("two.csv", "r2", "a2"),
        ("two.csv", "r2", "b2"),
        ("one.jsonl", "r1", "a"),
        ("one.jsonl", "r1", "b"),
    ]


@pytest.mark.parametrize(
    ("mapped", "ids"),
    [
        ("id", ["a", "b"]),
        ("n", ["1", "2"]),
        (None, ["0", "1"]),
        (["id"], ["a", "b"]),
        (["topic", "n"], ["sums:1", "é:2"]),
        ("{dataset}:{n}", ["rows.jsonl:1", "rows.jsonl:2"]),
        ("x-{id}-{id}", ["x-a-a", "x-b-b"]),
    ],
)
def test_ids(tmp_path: Path, mapped: Any, ids: list[str]) -> None:
    assert [item["item_id"] for item in load_rows(tmp_path, ROWS, id=mapped)] == ids


@pytest.mark.parametrize(
    ("value", "text", "metadata"),
    [
        ("text", "text", '"text"'),
        (7, "7", "7"),
        (0.5, "0.5", "0.5"),
        (True, "true", "true"),
        (None, "", "null"),
        (float("nan"), "", "null"),
        (["b", "a"], '["b","a"]', '["b","a"]'),
        ({"b": 1, "a": "é"}, '{"a":"é","b":1}', '{"a":"é","b":1}'),
        ("lone \ud800", "lone \ufffd", '"lone \ufffd"'),
        ("\x00\u2028\x85", "\ufffd\u2028\x85", '"\\u0000\u2028\x85"'),
    ],
)
def test_values_of_any_type(tmp_path: Path, value: object, text: str, metadata: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{**ROWS[0], "answer": value, "topic": value}]), encoding="utf-8")
    [item] = load(benchmark({"id": "rows.json"}), tmp_path)
    assert (item["target"], item["metadata_json"]) == (text, f'{{"topic":{metadata}}}')
    assert list(json.loads(item["metadata_json"].encode())) == ["topic"]


@pytest.mark.parametrize("name", WRITERS)
def test_items_may_be_long(tmp_path: Path, name: str) -> None:
    limit = csv.field_size_limit()
    WRITERS[name](tmp_path / name, [{**ROWS[0], "question": "word " * 100_000}])
    [item] = load(benchmark({"id": name}), tmp_path)
    assert len(item["input"]) == 500_000
    assert csv.field_size_limit() == limit


def test_dates_become_text(tmp_path: Path) -> None:
    write_parquet(tmp_path / "d.parquet", [{**ROWS[0], "topic": date(2026, 1, 2)}])
    [item] = load(benchmark({"id": "d.parquet"}), tmp_path)
    assert item["metadata_json"] == '{"topic":"2026-01-02"}'


def test_columns_that_are_not_mapped_may_be_missing(tmp_path: Path) -> None:
    [item] = load_rows(
        tmp_path, [{"question": "?"}], id=None, target=None, grading_scheme=None, metadata=[]
    )
    assert (item["target"], item["grading_scheme"], item["metadata_json"]) == ("", None, "{}")


@example(["line\u2028separator", "next\x85line"])
@given(st.lists(st.text().map(well_formed).filter(str.strip), min_size=1, max_size=4))
def test_any_text_survives_json_lines(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    rows = [{**ROWS[0], "question": text} for text in texts]
    items = load_rows(tmp_path_factory.mktemp("rows"), rows, id=None)
    assert [item["input"] for item in items] == texts


def test_line_ends_blank_lines_and_a_mark_in_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, ROWS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n") + b"\r\n")
    assert [i["item_id"] for i in load(benchmark({"id": "rows.jsonl"}), tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("mapping", "column", "path"),
    [
        ({"input": "qestion"}, "qestion", "input"),
        ({"target": "x"}, "x", "target"),
        ({"grading_scheme": "x"}, "x", "grading_scheme"),
        ({"metadata": ["topic", "x"]}, "x", "metadata"),
        ({"id": "x"}, "x", "id"),
        ({"id": ["id", "x"]}, "x", "id"),
        ({"id": "{id}-{x}"}, "x", "id"),
    ],
)
def test_an_unknown_column_is_named_with_those_there_are(
    tmp_path: Path, mapping: dict[str, Any], column: str, path: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        load_rows(tmp_path, ROWS, **mapping)
    assert str(caught.value) == (
        f"benchmark.mapping.{path}: dataset 'rows.jsonl' has no column {column!r}; "
        "it has id, n, question, answer, scheme, topic"
    )


def test_an_id_that_stands_twice_is_named_with_its_datasets(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"item id 'a' stands in dataset .* and again"):
        load_rows(tmp_path, [ROWS[0], ROWS[1], ROWS[0]])
    write_jsonl(tmp_path / "other.jsonl", ROWS)
    twice = ({"id": "rows.jsonl"}, {"id": "other.jsonl"})
    write_jsonl(tmp_path / "rows.jsonl", ROWS)
    with pytest.raises(DatasetError) as caught:
        load(benchmark(*twice), tmp_path)
    assert "'a' stands in dataset 'rows.jsonl' and again in 'other.jsonl'" in str(caught.value)
    assert 'id: "{dataset}:{id}"' in str(caught.value)
    assert len(load(benchmark(*twice, id="{dataset}:{id}"), tmp_path)) == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": ""}, "benchmark.mapping.id: dataset 'rows.jsonl', row 2: the id is empty"),
        ({"id": None}, "row 2: the id is empty"),
        ({"question": " \n"}, "dataset 'rows.jsonl', item 'b': column 'question' is empty"),
        ({"question": None}, "item 'b': column 'question' is empty"),
    ],
)
def test_an_item_without_id_or_input_is_refused(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        load_rows(tmp_path, [ROWS[0], {**ROWS[1], **values}])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", b'{"id": 1}\n{"id": \n', "x.jsonl, line 2: not valid JSON"),
        ("x.jsonl", b"[1]\n", "x.jsonl, line 1: expected a JSON object"),
        ("x.json", b'{"id": 1}', "x.json: expected a JSON list of objects"),
        ("x.json", b"[1]", "x.json: expected a JSON list of objects"),
        ("x.json", b"[", "cannot load 'x.json'"),
        ("x.csv", b"\xff\xfe", "cannot load 'x.csv'"),
        ("x.parquet", b"PAR1", "cannot load 'x.parquet'"),
        ("x.txt", b"", "'x.txt': adapter `local` reads .jsonl, .json, .csv, .parquet"),
    ],
)
def test_an_unreadable_file_is_named(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        load(benchmark({"id": name}), tmp_path)
    assert message in str(caught.value)


def test_a_missing_file_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=f"'no.jsonl' is no file .{tmp_path}/no.jsonl"):
        load(benchmark({"id": "no.jsonl"}), tmp_path)


# Dataset folders for the hf adapter, as people have them on their disks.
def saved_dataset(folder: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(folder)


def saved_splits(folder: Path) -> None:
    train = datasets.Dataset.from_list(ROWS)
    test = datasets.Dataset.from_list([{**ROWS[0], "id": "t"}])
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(folder)


def parquet_folder(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    write_parquet(folder / "data" / "train-00000-of-00001.parquet", ROWS)
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", [{**ROWS[0], "id": "t"}])


def jsonl_folder(folder: Path) -> None:
    folder.mkdir()
    write_jsonl(folder / "train.jsonl", ROWS)
    write_jsonl(folder / "test.jsonl", [{**ROWS[0], "id": "t"}])


FOLDERS = [saved_dataset, saved_splits, parquet_folder, jsonl_folder]


@pytest.mark.parametrize("make", FOLDERS)
def test_a_dataset_folder_is_read_as_it_was_saved(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "data")
    items = load(benchmark({"id": "data"}, adapter="hf"), tmp_path)
    assert [(i["item_id"], i["input"], i["grading_scheme"]) for i in items] == [
        ("a", "1+1?", "1 point"),
        ("b", "Über {id}?\n", None),
    ]
    if make is not saved_dataset:
        test = load(benchmark({"id": "data", "split": "test"}, adapter="hf"), tmp_path)
        assert [item["item_id"] for item in test] == ["t"]
        with pytest.raises(DatasetError, match=r"cannot load 'data' \(split 'none'\)"):
            load(benchmark({"id": "data", "split": "none"}, adapter="hf"), tmp_path)


@pytest.mark.parametrize("make", FOLDERS)
def test_the_revision_of_a_folder_is_that_of_its_content(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    dataset = DatasetConfig(id="data")
    make(tmp_path / "data")
    before = resolve_revision(dataset, "hf", tmp_path)
    assert len(before) == 40
    (tmp_path / "data").rename(tmp_path / "moved")
    moved = DatasetConfig(id=str(tmp_path / "moved"))
    assert resolve_revision(moved, "hf", tmp_path) == before
    (tmp_path / "moved" / "more.txt").write_text("more")
    assert resolve_revision(moved, "hf", tmp_path) != before


def test_the_revision_of_a_file_is_its_hash(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    expected = hashlib.sha256((tmp_path / "a.jsonl").read_bytes()).hexdigest()[:40]
    for revision in (None, expected, expected[:7]):
        dataset = DatasetConfig(id="a.jsonl", revision=revision)
        assert resolve_revision(dataset, "local", tmp_path) == expected


def test_local_data_have_no_other_revision(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    dataset = DatasetConfig(id="a.jsonl", revision="main")
    with pytest.raises(DatasetError, match=r"is local data, .* says 'main': remove it"):
        resolve_revision(dataset, "local", tmp_path)


HUB_COMMITS = {None: COMMIT, "main": COMMIT, "v1": COMMIT[::-1]}


class Hub:
    """Stands in for the client of the hub: `main` and `v1` are commits of org/data."""

    def dataset_info(self, id: str, revision: str | None) -> Any:
        if id != "org/data":
            raise LookupError(f"404: {id}\nmore")
        return type("Info", (), {"sha": HUB_COMMITS[revision]})()


@pytest.mark.parametrize(
    ("revision", "commit"),
    [
        (None, COMMIT),
        ("main", COMMIT),
        ("v1", COMMIT[::-1]),
        ("f" * 40, "f" * 40),  # a commit needs no look-up
    ],
)
def test_a_revision_on_the_hub_is_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str | None, commit: str
) -> None:
    monkeypatch.setattr("itemeval_assets.engine.datasets.HfApi", Hub)
    dataset = DatasetConfig(id="org/data", revision=revision)
    assert resolve_revision(dataset, "hf", tmp_path) == commit


def test_a_dataset_that_is_not_on_the_hub_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itemeval_assets.engine.datasets.HfApi", Hub)
    with pytest.raises(DatasetError) as caught:
        resolve_revision(DatasetConfig(id="org/none"), "hf", tmp_path)
    assert str(caught.value).startswith(
        "benchmark.datasets: cannot resolve 'org/none' on the hub: 404: org/none. Check the id"
    )


def test_a_hub_dataset_is_loaded_at_its_pinned_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def load_dataset(*args: Any, **kwargs: Any) -> list[Any]:
        asked.append((args, kwargs))
        return ROWS

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    entry = {"id": "org/data", "name": "main", "split": "test", "revision": "v1"}
    items = load_items(benchmark(entry, adapter="hf"), {"org/data": COMMIT}, tmp_path)
    assert asked == [(("org/data",), {"name": "main", "split": "test", "revision": COMMIT})]
    assert {item["dataset_revision"] for item in items} == {COMMIT}
