"""Items with choices: from columns of every format to what is shown, and what is refused."""

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from itemeval_assets.core.errors import DatasetError
from itemeval_assets.engine.data.datasets import load_items

from .test_datasets import WRITERS, benchmark, load

LISTED = [
    {"id": "a", "question": "1+1?", "options": ["1", "2", "3"], "answer": "B"},
    {"id": "b", "question": "2+2?", "options": ["4", "5"], "answer": "A"},
]
PLAIN = {"grading_scheme": None, "metadata": []}


def shown(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(json.loads(item["metadata_json"])["choices"], item["target"]) for item in items]


def loaded(
    base: Path, rows: list[dict[str, Any]], name: str = "items.jsonl", **mapping: Any
) -> list[dict[str, Any]]:
    WRITERS[name](base / name, rows)
    return load(benchmark({"id": name}, **{**PLAIN, "target_is": "letter", **mapping}), base)


@pytest.mark.parametrize("name", WRITERS)
def test_a_list_in_one_column(tmp_path: Path, name: str) -> None:
    """CSV has no lists: there it is JSON."""
    in_csv = [{**row, "options": json.dumps(row["options"])} for row in LISTED]
    items = loaded(tmp_path, in_csv if name.endswith("csv") else LISTED, name, choices="options")
    assert shown(items) == [("A) 1\nB) 2\nC) 3", "B"), ("A) 4\nB) 5", "A")]
    assert [item["input"] for item in items] == ["1+1?", "2+2?"]


@pytest.mark.parametrize("name", WRITERS)
def test_a_column_for_each_choice(tmp_path: Path, name: str) -> None:
    rows = [
        {"id": "a", "question": "1+1?", "w": "1", "x": "2", "y": "3", "answer": "2"},
        {"id": "b", "question": "2+2?", "w": "4", "x": "5", "y": "", "answer": "4"},
    ]
    items = loaded(tmp_path, rows, name, choices=["w", "x", "y"], target_is="text")
    assert shown(items) == [("A) 1\nB) 2\nC) 3", "B"), ("A) 4\nB) 5", "A")]


def test_the_right_answer_may_be_one_of_the_columns(tmp_path: Path) -> None:
    row = {"question": "1+1?", "right": "2", "wrong": "3", "worse": "4"}
    [item] = loaded(
        tmp_path,
        [row],
        id=None,
        target="right",
        choices=["right", "wrong", "worse"],
        target_is="text",
        shuffle_choices=3,
    )
    [(text, letter)] = shown([item])
    assert f"{letter}) 2" in text.splitlines()


def test_a_dataset_of_the_hub_with_texts_and_labels(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "question": "?", "options": {"text": ["x", "y"], "label": ["1", "2"]}, "k": "2"}
    ]
    datasets.Dataset.from_list(rows).save_to_disk(str(tmp_path / "saved"))
    mapping = {**PLAIN, "target": "k", "choices": "options", "target_is": "label"}
    found = benchmark({"id": "saved"}, adapter="hf", **mapping)
    assert shown(load(found, tmp_path)) == [("A) x\nB) y", "B")]


def test_the_letter_follows_the_shuffle_and_nothing_else_changes(tmp_path: Path) -> None:
    rows = [{**LISTED[0], "id": f"q{n}"} for n in range(20)]
    plain = loaded(tmp_path, rows, choices="options")
    mixed = loaded(tmp_path, rows, choices="options", shuffle_choices=5)
    assert mixed == loaded(tmp_path, rows, choices="options", shuffle_choices=5)
    assert mixed != loaded(tmp_path, rows, choices="options", shuffle_choices=6)
    for (text, letter), (_, was) in zip(shown(mixed), shown(plain), strict=True):
        assert was == "B" and f"{letter}) 2" in text.splitlines()
    assert {letter for _, letter in shown(mixed)} == {"A", "B", "C"}
    others = ("item_id", "input", "dataset_revision")
    assert [[row[name] for name in others] for row in mixed] == [
        [row[name] for name in others] for row in plain
    ]


def test_an_item_keeps_its_order_when_others_come_or_go(tmp_path: Path) -> None:
    rows = [{**LISTED[0], "id": f"q{n}"} for n in range(6)]
    every = loaded(tmp_path, rows, choices="options", shuffle_choices=5)
    assert loaded(tmp_path, rows[3:], choices="options", shuffle_choices=5) == every[3:]


def test_without_a_target_there_is_no_letter(tmp_path: Path) -> None:
    items = loaded(tmp_path, LISTED, choices="options", target=None, target_is=None)
    assert [letter for _, letter in shown(items)] == ["", ""]


def test_wrong_choices_may_be_the_same(tmp_path: Path) -> None:
    rows = [{**LISTED[0], "options": ["1", "2", "1"]}]
    assert shown(loaded(tmp_path, rows, choices="options")) == [("A) 1\nB) 2\nC) 1", "B")]
    rows = [{**LISTED[0], "options": ["2", "2"]}]
    items = loaded(tmp_path, rows, choices="options", target=None, target_is=None)
    assert shown(items) == [("A) 2\nB) 2", "")]


def test_a_dataset_of_the_hub_may_repeat_the_right_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**LISTED[1], "options": ["4", "5", "4"]}]
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: rows)
    mapping = {**PLAIN, "choices": "options", "target_is": "letter"}
    on_hub = benchmark({"id": "org/data"}, adapter="hf", **mapping)
    items = load_items(on_hub, {"org/data": "e" * 40}, tmp_path).rows
    assert shown(items) == [("A) 4\nB) 5\nC) 4", "A")]


@pytest.mark.parametrize(
    ("change", "mapping", "message"),
    [
        (
            {"options": "1, 2"},
            {},
            "benchmark.mapping.choices: dataset 'items.jsonl', line 2: item 'b': expected a JSON",
        ),
        ({"options": None}, {}, "item 'b': expected a list of choices"),
        (
            {"answer": "C"},
            {},
            "benchmark.mapping.target: dataset 'items.jsonl', line 2: item 'b': the",
        ),
        (
            {},
            {"choices": "opts"},
            "benchmark.mapping.choices: dataset 'items.jsonl', line 1: there",
        ),
        ({}, {"choices": ["options", "answer"]}, "item 'a': a choice or target must be a text"),
        (
            {"options": ["4", "5", "4"]},
            {},
            "benchmark.mapping.choices: dataset 'items.jsonl', line 2: item 'b': choices 1 and 3 "
            "of column 'options' are the same, '4', and one of them is the target:",
        ),
        (
            {"options": ["4", "5", "4"]},
            {"shuffle_choices": 1, "target_is": "index", "target": "first"},
            "item 'b': choices 1 and 3 of column 'options' are the same",
        ),
        (
            {"x": "4", "y": "5", "z": "4"},
            {"choices": ["x", "y", "z"]},
            "item 'b': columns 'x' and 'z' are the same, '4', and one of them is the target",
        ),
        ({}, {"target_is": "text"}, "the target 'B' is no text of a choice; there are 1, 2, 3"),
    ],
)
def test_what_is_unclear_is_refused_with_the_item(
    tmp_path: Path, change: dict[str, Any], mapping: dict[str, Any], message: str
) -> None:
    plain = {"first": 0, "x": "1", "y": "2", "z": "3"}
    rows = [{**plain, **LISTED[0]}, {**plain, **LISTED[1], **change}]
    with pytest.raises(DatasetError) as caught:
        loaded(tmp_path, rows, **{"choices": "options", **mapping})
    assert message in str(caught.value)
