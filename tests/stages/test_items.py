"""The items stage: pinned at the first run, refused once they change."""

import json
import os
from pathlib import Path
from typing import Any

import datasets
import pytest

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import DatasetError, StoreError
from itemeval_assets.engine.data.datasets import resolve_revision
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import items
from itemeval_assets.stages.items import loading
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.studies import write_items, write_study

COMMITS = {"main": "1" * 40, "v2": "2" * 40}


def load(study: Study) -> list[dict[str, Any]]:
    """One run of the stage, its rows stored as a run stores them."""
    store = open_store(study)
    rows = items.load(study, store).table
    store.replace("items", Partition(()), rows)
    assert store.read("items").equals(rows)
    return rows.to_pylist()


def locks(study: Study) -> dict[str, Any]:
    return json.loads((Path(study.location) / "dataset_locks.json").read_text(encoding="utf-8"))


def test_items_are_loaded_and_their_data_pinned(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, items=3))
    rows = load(study)
    revision = resolve_revision(study.config.benchmark.datasets[0], "local", tmp_path)
    assert [row["item_id"] for row in rows] == ["q1", "q2", "q3"]
    assert {row["dataset_revision"] for row in rows} == {revision}
    pinned = locks(study)
    assert pinned["version"] == 1
    assert pinned["datasets"]["items.jsonl"]["revision"] == revision
    assert pinned["datasets"]["items.jsonl"]["resolved_at"].endswith("Z")


def test_a_second_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(write_study(tmp_path))
    first, pinned = load(study), locks(study)
    monkeypatch.setattr(loading, "now", lambda: "2099-01-01T00:00:00Z")
    assert load(study) == first
    assert locks(study) == pinned


def test_only_changed_items_get_a_new_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_study(tmp_path)
    load(load_study(path))
    monkeypatch.setattr(loading, "now", lambda: "2099-01-01T00:00:00Z")
    edited = load_study(write_study(tmp_path, extra={"benchmark": {"mapping": {"metadata": []}}}))
    assert {row["created_at"] for row in load(edited)} == {"2099-01-01T00:00:00Z"}


def test_changed_data_are_refused_until_they_are_restored(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    first = load(study)
    original = (tmp_path / "items.jsonl").read_bytes()
    write_items(tmp_path / "items.jsonl", 5)
    with pytest.raises(DatasetError) as caught:
        load(study)
    message = str(caught.value)
    pinned = first[0]["dataset_revision"]
    assert f"'items.jsonl' changed since this study pinned it ({pinned[:12]} then, " in message
    assert "4 items" not in message and "No item that has answers or gradings" in message
    assert "To accept the change: --accept-changes." in message
    assert list(items.changed_datasets(study, open_store(study))) == ["items.jsonl"]
    assert locks(study)["datasets"]["items.jsonl"]["revision"] == pinned
    (tmp_path / "items.jsonl").write_bytes(original)
    assert items.changed_datasets(study, open_store(study)) == {}
    assert load(study) == first


def test_changed_data_are_accepted_once_their_pin_is_deleted(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    load(study)
    write_items(tmp_path / "items.jsonl", 5)
    (Path(study.location) / "dataset_locks.json").unlink()
    assert len(load(study)) == 5
    assert items.changed_datasets(study, open_store(study)) == {}


def test_data_in_the_home_folder_are_watched_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    benchmark = {"datasets": [{"id": "~/items.jsonl"}]}
    study = load_study(write_study(tmp_path / "project", extra={"benchmark": benchmark}))
    write_items(tmp_path / "items.jsonl", 2)
    load(study)
    write_items(tmp_path / "items.jsonl", 3)
    assert list(items.changed_datasets(study, open_store(study))) == ["~/items.jsonl"]


def test_data_that_are_gone_are_named(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    load(study)
    (tmp_path / "items.jsonl").unlink()
    with pytest.raises(DatasetError, match="is no file"):
        load(study)


@pytest.mark.parametrize("kind", ["save_to_disk", "parquet", "jsonl"])
def test_a_dataset_folder_is_pinned_by_its_content(tmp_path: Path, kind: str) -> None:
    extra = {"benchmark": {"adapter": "hf", "datasets": [{"id": "data"}]}}
    study = load_study(write_study(tmp_path, extra=extra))
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    table = datasets.Dataset.from_list(rows)
    (tmp_path / "data").mkdir()
    if kind == "save_to_disk":
        table.save_to_disk(tmp_path / "data")
    elif kind == "parquet":
        table.to_parquet(tmp_path / "data" / "train.parquet")
    else:
        os.link(tmp_path / "items.jsonl", tmp_path / "data" / "train.jsonl")
    first = load(study)
    assert len(first) == 4 and load(study) == first  # reading leaves the folder as it is
    revision = resolve_revision(study.config.benchmark.datasets[0], "hf", tmp_path)
    assert locks(study)["datasets"]["data"]["revision"] == revision
    assert {row["dataset_revision"] for row in first} == {revision}
    (tmp_path / "data" / "another.jsonl").write_text("{}")
    with pytest.raises(DatasetError, match="'data' changed since this study pinned it"):
        load(study)


class FakeHub:
    """Records what is looked up; loads one row that tells which commit was loaded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked_up: list[str | None] = []
        monkeypatch.setattr("huggingface_hub.HfApi", lambda: self)
        monkeypatch.setattr(datasets, "load_dataset", self.load)

    def dataset_info(self, id: str, revision: str | None) -> Any:
        self.looked_up.append(revision)
        return type("Info", (), {"sha": COMMITS[revision or "main"]})()

    @staticmethod
    def load(id: str, name: str | None, split: str, revision: str) -> list[dict[str, Any]]:
        row = {"id": f"{split}-{revision[0]}", "question": "?", "answer": "!", "scheme": ""}
        return [{**row, "topic": "t"}]


def on_the_hub(folder: Path, *splits: str, revision: str | None = None) -> Study:
    entries = [
        {"id": "org/data", "split": split, "revision": revision} for split in splits or ("train",)
    ]
    extra = {"benchmark": {"adapter": "hf", "datasets": entries}}
    return load_study(write_study(folder, extra=extra))


def test_a_hub_dataset_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(monkeypatch)
    study = on_the_hub(tmp_path, "train", "test")
    ids = [row["item_id"] for row in load(study)]
    assert ids == ["train-1", "test-1"]
    assert [row["item_id"] for row in load(study)] == ids
    assert set(hub.looked_up) == {None} and len(hub.looked_up) <= 2
    assert locks(study)["datasets"]["org/data"]["revision"] == COMMITS["main"]
    assert items.changed_datasets(study, open_store(study)) == {}


def test_a_branch_is_pinned_to_the_commit_it_has_at_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = FakeHub(monkeypatch)
    study = on_the_hub(tmp_path, revision="main")
    assert [row["dataset_revision"] for row in load(study)] == [COMMITS["main"]]
    monkeypatch.setitem(COMMITS, "main", "9" * 40)
    assert [row["dataset_revision"] for row in load(study)] == ["1" * 40]
    assert hub.looked_up == ["main"]
    entry = locks(study)["datasets"]["org/data"]
    assert (entry["revision"], entry["requested"]) == ("1" * 40, "main")


@pytest.mark.parametrize(
    ("before", "after", "loaded"),
    [
        (None, "v2", "2"),
        ("main", "v2", "2"),
        ("v2", None, "2"),
        (None, "1" * 40, "1"),
        (None, "7" * 40, "7"),
        ("7" * 40, "main", "1"),
    ],
)
def test_another_revision_in_the_config_is_another_pin(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: str | None,
    after: str | None,
    loaded: str,
) -> None:
    FakeHub(monkeypatch)
    load(on_the_hub(tmp_path, revision=before))
    study = on_the_hub(tmp_path, revision=after)
    assert [row["item_id"] for row in load(study)] == [f"train-{loaded}"]
    assert locks(study)["datasets"]["org/data"]["revision"] == loaded * 40


def test_a_lock_file_of_itemeval_is_honoured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = FakeHub(monkeypatch)
    study = on_the_hub(tmp_path)
    lock = {"revision": "5" * 40, "resolved_at": "2026-01-01T00:00:00Z"}
    document = {"version": 1, "datasets": {"org/data": lock}}
    store = open_store(study)
    store.update_json("dataset_locks.json", lambda _: document)
    assert [row["item_id"] for row in load(study)] == ["train-5"]
    assert hub.looked_up == [] and locks(study) == document


def test_a_damaged_lock_file_is_no_empty_one(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    store: ResultsStore = open_store(study)
    load(study)
    (Path(study.location) / "dataset_locks.json").write_text("{")
    with pytest.raises(StoreError, match=r"dataset_locks\.json is not valid JSON"):
        items.load(study, store)


def test_no_item_leaves_while_answers_to_it_may_be_unread(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, items=3))
    load(study)
    write_items(tmp_path / "items.jsonl", 2)

    def refuse() -> None:
        raise StoreError("there are logs to read")

    store = open_store(study)
    with pytest.raises(StoreError, match="there are logs to read"):
        items.load(study, store, accept_changes=True, before_changes=refuse)
    assert items.load(study, store, accept_changes=True).table.num_rows == 2
    # Nobody has asked it yet: it is not remembered.
    assert not (Path(study.location) / "former_items.json").exists()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is no JSON object"),
        ('{"items": 1}', "does not hold items as they were"),
        ('{"items": {"q1": {"input": "1 + 1?"}}}', "does not hold items as they were"),
    ],
)
def test_a_damaged_file_of_former_items_is_told(tmp_path: Path, damage: str, told: str) -> None:
    study = load_study(write_study(tmp_path))
    load(study)
    (Path(study.location) / "former_items.json").write_text(damage)
    with pytest.raises(StoreError, match=rf"former_items\.json {told}.*or delete it: then an item"):
        items.load(study, open_store(study))


def sampled(folder: Path, sample: dict[str, Any] | None, **budget: Any) -> Study:
    extra = {"benchmark": {"sample": sample}, "budget": budget}
    return load_study(write_study(folder, items=12, extra=extra))


def test_a_sample_is_drawn_in_an_order_of_its_own_and_recorded(tmp_path: Path) -> None:
    rows = load(sampled(tmp_path, {"n": 4, "seed": 7}))
    study = sampled(tmp_path, {"n": 6, "seed": 7})
    more = load(study)
    assert [row["item_id"] for row in more[:4]] == [row["item_id"] for row in rows]
    assert locks(study)["sample"] == {"n": 6, "seed": 7, "by": None, "of": 12}
    pinned = (Path(study.location) / "dataset_locks.json").stat().st_mtime_ns
    assert load(study) == more
    assert (Path(study.location) / "dataset_locks.json").stat().st_mtime_ns == pinned
    everything = sampled(tmp_path, None)
    assert len(load(everything)) == 12
    assert "sample" not in locks(everything)


def test_a_sample_larger_than_the_data_stores_nothing(tmp_path: Path) -> None:
    study = sampled(tmp_path, {"n": 13})
    with pytest.raises(DatasetError, match="13 items are to be drawn, and the data have"):
        load(study)
    assert not Path(study.location).exists()
