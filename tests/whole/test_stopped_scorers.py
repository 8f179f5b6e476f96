"""Runs that are stopped while code of others grades: what was graded is kept, and stays."""

import signal
import time
from pathlib import Path

import pytest

from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages import kept
from itemeval_assets.stages.kept import KeptGradings
from itemeval_assets.storage.study.store import open_store
from tests.commands import Command
from tests.studies import write_study

from .looking import assert_reconciled, rows

ITEMS = 12
SLOW = """\
import pathlib, time


def score(solution, target, metadata):
    with (pathlib.Path(__file__).parent / "graded").open("a") as file:
        file.write(target + "\\n")
    time.sleep(0.3)
    return 1
"""


def slow_study(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(SLOW)
    entry = {"type": "python", "function": "mine.py:score"}
    return write_study(
        folder,
        graders=[],
        scorer=["numeric", *names],
        items=ITEMS,
        extra={"scorers": dict.fromkeys(names, entry)},
    )


def graded(folder: Path) -> list[str]:
    path = folder / "graded"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize(
    "how",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_what_was_graded_before_a_stop_is_kept(tmp_path: Path, how: signal.Signals) -> None:
    config = slow_study(tmp_path, "first", "second")
    errors = tmp_path / "errors"
    run = Command("run", config, errors=errors)
    run.wait_until(lambda: len(graded(tmp_path)) >= ITEMS + 4)
    run.send_signal(how)
    assert run.wait() == 1
    assert "stopped; finished calls are kept" in errors.read_text()
    before = {row["sample_key"]: row for row in _keyed(config)}
    names = [row["scorer_name"] for row in before.values()]
    assert names.count("numeric") == names.count("first") == ITEMS
    # Of the four that were begun, the last replies may not have been read.
    assert ITEMS > names.count("second") >= 1
    called = len(graded(tmp_path))
    assert run_cli(["run", str(config)]) == 0
    assert len(graded(tmp_path)) - called <= 2 * ITEMS - names.count("first") - names.count(
        "second"
    )
    after = {row["sample_key"]: row for row in _keyed(config)}
    assert len(after) == 3 * ITEMS
    assert all(after[key]["run_id"] == row["run_id"] for key, row in before.items())
    assert len(rows(config, "gradings_long")) == 3 * ITEMS
    assert_reconciled(config)
    booked = [row for row in rows(config, "ledger") if row["stage"] == "grade"]
    assert sum(row["calls"] for row in booked) == 3 * ITEMS
    assert {row["run_id"] for row in booked} == {row["run_id"] for row in after.values()}


def _keyed(config: Path) -> list[dict[str, object]]:
    return [
        {**row, "sample_key": (row["grade_condition_id"], row["item_id"], row["epoch"])}
        for row in rows(config, "gradings")
    ]


def test_what_takes_long_is_stored_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = slow_study(tmp_path, "first")
    assert run_cli(["run", str(config)]) == 0
    study = load_study(config)
    store, (partition, other) = open_store(study), study.grade_partitions()
    stored = rows(config, "gradings")
    row = next(row for row in stored if row["grade_condition_id"] == partition.grade)
    monkeypatch.setattr(kept, "_EVERY_S", 0.05)
    with KeptGradings(store, "run2") as keeping:
        keeping.add(partition, {**row, "run_id": "run2", "item_id": "new1"})
        assert _items_of(store, partition) == ITEMS
        time.sleep(0.1)
        keeping.add(partition, {**row, "run_id": "run2", "item_id": "new2"})
        assert _items_of(store, partition) == ITEMS + 2
        keeping.add(other, {**row, "run_id": "run2", "item_id": "new3"})
        assert _items_of(store, other) == ITEMS
        assert keeping.rows().num_rows == 3
    # Without an error the output of the step is what stores them.
    assert _items_of(store, other) == ITEMS


def _items_of(store: object, partition: Partition) -> int:
    return store.read("gradings", [partition]).num_rows  # type: ignore[attr-defined]
