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

from itemeval_assets.core.config.sections import BenchmarkConfig, DatasetConfig
from itemeval_assets.core.design.items.items import DEEPEST, LONGEST_ID_BYTES
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.words import well_formed
from itemeval_assets.engine.data.datasets import load_items, resolve_revision

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
    return load_items(found, {dataset.id: "r0" for dataset in found.datasets}, base).rows


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
    items = load_items(found, {"one.jsonl": "r1", "two.csv": "r2"}, tmp_path).rows
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
    meant = "did you mean 'question'? There" if column == "qestion" else "there"
    assert str(caught.value) == (
        f"benchmark.mapping.{path}: dataset 'rows.jsonl', line 1: there is no column {column!r}; "
        f"{meant} are 'id', 'n', 'question', 'answer', 'scheme', 'topic'"
    )


def test_an_id_that_stands_twice_is_named_with_its_datasets(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"item id 'a' occurs twice: in dataset .* and in dataset"
    ):
        load_rows(tmp_path, [ROWS[0], ROWS[1], ROWS[0]])
    write_jsonl(tmp_path / "other.jsonl", ROWS)
    twice = ({"id": "rows.jsonl"}, {"id": "other.jsonl"})
    write_jsonl(tmp_path / "rows.jsonl", ROWS)
    with pytest.raises(DatasetError) as caught:
        load(benchmark(*twice), tmp_path)
    assert (
        "'a' occurs twice: in dataset 'rows.jsonl' (line 1) and in dataset 'other.jsonl' (line 1)"
    ) in str(caught.value)
    assert 'id: "{dataset}:{id}"' in str(caught.value)
    assert len(load(benchmark(*twice, id="{dataset}:{id}"), tmp_path)) == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": ""}, "benchmark.mapping.id: dataset 'rows.jsonl', line 2: column 'id' is empty"),
        ({"id": None}, "line 2: column 'id' is empty, and the id is made of it; fill it in"),
        ({"question": " \n"}, "'rows.jsonl', line 2, item 'b': column 'question' is empty"),
        ({"question": None}, "item 'b': column 'question' is empty"),
    ],
)
def test_an_item_without_id_or_input_is_refused(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        load_rows(tmp_path, [ROWS[0], {**ROWS[1], **values}])
    assert message in str(caught.value)


@pytest.mark.parametrize("letter", ["x", "é", "字"])
def test_an_id_of_many_bytes_is_refused_with_its_place(tmp_path: Path, letter: str) -> None:
    most = LONGEST_ID_BYTES // len(letter.encode())
    assert load_rows(tmp_path, [{**ROWS[0], "id": letter * most}])[0]["item_id"] == letter * most
    for length in (most + 1, 70_000):
        with pytest.raises(DatasetError) as caught:
            load_rows(tmp_path, [ROWS[0], {**ROWS[1], "id": letter * length}])
        assert str(caught.value).startswith(
            f"benchmark.mapping.id: dataset 'rows.jsonl', line 2: the id '{letter * 60}...' has "
        )
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("mapped", [["id", "n"], "{dataset}:{id}", "{n}-{id}"])
def test_no_part_of_an_id_may_be_empty(tmp_path: Path, mapped: Any) -> None:
    with pytest.raises(DatasetError, match="line 2: column 'id' is empty, and the id is made of"):
        load_rows(tmp_path, [ROWS[0], {**ROWS[1], "id": None}], id=mapped)


def test_a_row_without_a_mapped_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"line 2: there is no column 'topic'; there are 'id'$"):
        load_rows(tmp_path, [ROWS[0], {"id": "b"}], id="topic")


def test_bytes_are_no_text(tmp_path: Path) -> None:
    write_parquet(tmp_path / "x.parquet", [{**ROWS[0], "question": b"1+1?"}])
    with pytest.raises(DatasetError, match=r"input: .*row 1: column 'question' holds bytes"):
        load(benchmark({"id": "x.parquet"}), tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", b""),
        ("x.jsonl", b"\n\n"),
        ("x.json", b"[]"),
        ("x.csv", b""),
        ("x.csv", b"id,question\n"),
        ("x.csv", b"\xef\xbb\xbf"),
    ],
)
def test_data_without_an_item_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=f"'{name}' has no items; name data with at least"):
        load(benchmark({"id": name}), tmp_path)


def test_parquet_and_hub_datasets_without_an_item_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path / "x.parquet", [])
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: [])
    for found in (benchmark({"id": "x.parquet"}), benchmark({"id": "org/data"}, adapter="hf")):
        with pytest.raises(DatasetError, match="has no items"):
            load(found, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.jsonl", '[\n{"id": "a"}\n]\n', "one JSON list, .*; rename it to .json, here"),
        ("x.json", '{"id": "a"}\n{"id": "b"}\n', "an object per line, .* rename it to .jsonl"),
    ],
)
def test_a_list_and_lines_with_each_others_names(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError, match=message):
        load(benchmark({"id": name}), tmp_path)


CSV = {"id": "x.csv"}
PLAIN = {"target": None, "grading_scheme": None, "metadata": []}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'id,question\na,"1+1?\nb,2+2?\n', r"begins in line 2: a quotation mark is never closed"),
        (b'id,question\na,"1" + 1?\n', r"begins in line 2: ',' expected after '\"'; write a quo"),
        (b'id,question\na,"say \\"1\\""\n', r"begins in line 2: ',' expected .* twice"),
        (b'id,question\na,"1\n+1"\nb,"c" d\n', "begins in line 4: ',' expected"),
        (b"id,question,id\na,1+1?,b\n", "x.csv, line 1: 'id' occurs twice; give each column"),
        (b"id,question\na,1+1?,b\n", "x.csv, line 2: has 3 cells, and the header 2; put quotes"),
        (b"id,question\n\na,1+1?\nb\n", "x.csv, line 4: has 1 cells, and the header 2"),
        (b"id,question\na,1+\x001?\n", "x.csv, line 2: holds a NUL character.* `encoding"),
        ("id,question\na,1\n".encode("utf-16-le"), "line 1: holds a NUL character"),
        (b"id;question\na;1+1?\n", "the header is one column, 'id;question'; if ';' separat"),
        (b"id\tquestion\na\t1+1?\n", r"if '\\t' separates its cells, set `delimiter`"),
        (b"id,question\na,1\n,\nb,2\n", "x.csv, line 3: the row is empty; fill it in, or remove"),
        (b"id, question\na,1\n", "'question'; did you mean ' question'. There are 'id', ' quest"),
        (b"PK\x03\x04\xff", "x.csv is an Excel workbook, or .* save it as CSV"),
        ("id,question\na,1\n".encode("utf-16"), "is in UTF-16; set `encoding: utf-16` for the"),
        (
            b"id,question\na,ok\nb,\xe9?\n",
            r"x.csv, line 3: byte 20 of the file \(0xe9\) is no UTF-8; .* `encoding` .* cp1252",
        ),
    ],
)
def test_csv_that_would_be_misread_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        load(benchmark(CSV, **PLAIN), tmp_path)


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (b"id;question\na;1,5 + 1?\n", {"delimiter": ";"}),
        (b"id\tquestion\na\t1,5 + 1?\n", {"delimiter": "\t"}),
        (b'id,question\r"a","1,5 + 1?"\r', {}),
        (b'\r\nid,question\r\n\r\na,"1,5 + 1?"\r\n', {}),
        (b'id,question\na,"1,5 + 1?"\n,\n,,,\n', {}),
        (b',id,question,\n0,a,"1,5 + 1?",\n', {}),
        ("id;question\na;1,5 + 1?\n".encode("utf-16"), {"delimiter": ";", "encoding": "utf-16"}),
        (b"\xef\xbb\xbfid|question\na|1,5 + 1?", {"delimiter": "|", "encoding": "utf-8"}),
    ],
)
def test_csv_as_programs_write_it(tmp_path: Path, content: bytes, keys: dict[str, str]) -> None:
    (tmp_path / "x.CSV").write_bytes(content)
    [item] = load(benchmark({"id": "x.CSV", **keys}, **PLAIN), tmp_path)
    assert (item["item_id"], item["input"]) == ("a", "1,5 + 1?")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "shift_jis", "utf-8-sig"])
def test_csv_in_another_encoding(tmp_path: Path, encoding: str) -> None:
    text = "こ?" if encoding == "shift_jis" else "Über é?"
    (tmp_path / "x.csv").write_bytes(f"id,question\na,{text}\n".encode(encoding))
    [item] = load(benchmark({**CSV, "encoding": encoding}, **PLAIN), tmp_path)
    assert item["input"] == text


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("id,question\na,é\n".encode())
    with pytest.raises(DatasetError, match=r"line 2: byte 15 of the file .0xc3. is no ascii; set"):
        load(benchmark({**CSV, "encoding": "ascii"}, **PLAIN), tmp_path)


def test_a_folder_of_csv_takes_the_keys_and_a_saved_dataset_does_not(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_bytes("id;question\na;Über é?\n".encode("cp1252"))
    keys = {"delimiter": ";", "encoding": "cp1252"}
    [item] = load(benchmark({"id": "data", **keys}, adapter="hf", **PLAIN), tmp_path)
    assert (item["item_id"], item["input"]) == ("a", "Über é?")
    saved_dataset(tmp_path / "saved")
    with pytest.raises(DatasetError, match="saved dataset; delimiter and encoding are for CSV"):
        load(benchmark({"id": "saved", **keys}, adapter="hf"), tmp_path)


def test_columns_of_parquet_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "id=1").mkdir()
    write_parquet(tmp_path / "id=1" / "x.parquet", ROWS)
    found = load(benchmark({"id": "id=1/x.parquet"}), tmp_path)
    assert [item["item_id"] for item in found] == ["a", "b"]
    doubled = pa.table([["a"], ["1+1?"], ["b"]], names=["id", "question", "id"])
    pq.write_table(doubled, tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match=r"x.parquet: 'id' occurs twice"):
        load(benchmark({"id": "x.parquet"}, **PLAIN), tmp_path)


def test_json_lines_with_old_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, ROWS)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))
    assert [i["item_id"] for i in load(benchmark({"id": "rows.jsonl"}), tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", b'{"id": 1}\n{"id": 1, "id": 2}\n', "x.jsonl, line 2: 'id' occurs twice"),
        ("x.jsonl", b'{"id": {"a": 1, "a": 2}}', "x.jsonl, line 1: 'a' occurs twice"),
        ("x.json", b'[{"id": 1, "id": 2}]', "x.json: 'id' occurs twice"),
        ("x.jsonl", b'{"id": 1}\n{"id": "\x00"}', "x.jsonl, line 2: not valid JSON: Invalid cont"),
        ("x.jsonl", b'{"id": 1}\n{"id": "\xe9"}', "x.jsonl, line 2: byte 19 of the file (0xe9)"),
        ("x.jsonl", b'"\xe9"', "is no UTF-8; save the file in UTF-8, which JSON requires"),
        (
            "x.jsonl",
            b"[" * 100_000,
            "x.jsonl, line 1: not valid JSON: its values are nested too deeply",
        ),
        (
            "x.json",
            b"9" * 5_000,
            "x.json: not valid JSON: an integer has more than 4,300 digits; put quotes",
        ),
        ("x.jsonl", b'{"id": 1}\n{"id": \n', "x.jsonl, line 2: not valid JSON"),
        ("x.jsonl", b"[1]\n", "x.jsonl, line 1: expected a JSON object"),
        ("x.json", b'{"id": 1}', "x.json: expected a JSON list of objects"),
        (
            "x.json",
            b'{"version": 1, "data": [{"id": 1}]}',
            "one per item; it is one object with the keys 'version', 'data': save the list that "
            "'data' holds as the file",
        ),
        ("x.json", b'{"id": 1}', "it is one object with the key 'id': put [ and ] around it"),
        ("x.json", b"[1]", "x.json: expected a JSON list of objects"),
        ("x.jsonl", b'\n"id",question\n1,2\n', "x.jsonl looks like CSV, whatever its name says"),
        ("x.json", b"id;question\n1;2\n", "rename it to .csv, here and in `benchmark.datasets`"),
        ("x.json", b"[", "x.json: not valid JSON"),
        ("x.csv", b"\xff", "x.csv, line 1: byte 1 of the file (0xff) is no UTF-8"),
        ("x.parquet", b"PAR1", "x.parquet: not readable as Parquet"),
        ("x.tsv", b"", "'x.tsv': rename the file to .csv, and write `delimiter: \"\\t\"` beside"),
        ("x.txt", b"", "'x.txt': adapter `local` reads .jsonl, .json, .csv, .parquet, .xlsx"),
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


def empty_dataset(folder: Path) -> None:
    datasets.Dataset.from_list([]).save_to_disk(folder)


def empty_split(folder: Path) -> None:
    none = datasets.Dataset.from_list(ROWS).select([])
    datasets.DatasetDict({"train": none}).save_to_disk(folder)


def empty_parquet(folder: Path) -> None:
    folder.mkdir()
    datasets.Dataset.from_list(ROWS).select([]).to_parquet(folder / "train.parquet")


@pytest.mark.parametrize("make", [empty_dataset, empty_split, empty_parquet])
def test_a_dataset_folder_without_rows_is_refused_in_our_words(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "data")
    with pytest.raises(DatasetError, match="'data' has no items; name data with at least one row"):
        load(benchmark({"id": "data"}, adapter="hf"), tmp_path)


def nested(levels: int) -> Any:
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


def test_metadata_nested_too_deeply_are_refused_with_their_place(tmp_path: Path) -> None:
    [*_, kept] = load_rows(tmp_path, [{**ROWS[0], "deep": nested(DEEPEST)}], metadata=["deep"])
    assert json.loads(kept["metadata_json"])["deep"] == nested(DEEPEST)
    for levels in (DEEPEST + 1, 900):
        with pytest.raises(DatasetError, match=r"metadata: dataset 'rows.jsonl', line 1: .*'deep'"):
            load_rows(tmp_path, [{**ROWS[0], "deep": nested(levels)}], metadata=["deep"])


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
    with pytest.raises(DatasetError, match=r"is local data: .* says 'main'. Remove `revision`"):
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
    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    dataset = DatasetConfig(id="org/data", revision=revision)
    assert resolve_revision(dataset, "hf", tmp_path) == commit


def test_a_dataset_that_is_not_on_the_hub_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
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
    items = load_items(benchmark(entry, adapter="hf"), {"org/data": COMMIT}, tmp_path).rows
    assert asked == [(("org/data",), {"name": "main", "split": "test", "revision": COMMIT})]
    assert {item["dataset_revision"] for item in items} == {COMMIT}
