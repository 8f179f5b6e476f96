"""A Dagster home that is damaged, full or may not be written: told, and no result is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy.exc import OperationalError

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import HistoryError
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import ensure_home, make_home
from itemeval_assets.runs.launching.launcher import Launcher
from itemeval_assets.runs.launching.worker import run_share
from itemeval_assets.runs.launching.workers import Share
from tests.studies import write_study
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled

from .conftest import Report
from .study_runs import Loss, declare, loss_of, some, table_contents

ITEMS = 2


def text(name: str, content: str | bytes) -> Callable[[Path], object]:
    def harm(home: Path) -> None:
        path = home / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return harm


def folder(name: str) -> Callable[[Path], object]:
    def harm(home: Path) -> None:
        (home / name).unlink()
        (home / name).mkdir()

    return harm


GARBAGE = b"\x00garbage" * 1000
HARMS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "runs": (text("history/runs.db", GARBAGE), ["not a database (damaged: history/runs.db)"]),
    "events": (text("history/runs/index.db", GARBAGE), ["(damaged: history/runs/index.db)"]),
    "schedules": (text("schedules/schedules.db", GARBAGE), ["(damaged: schedules/schedules.db)"]),
    "no history folder": (text("history", "x"), ["File exists", "set DAGSTER_HOME"]),
    "no folder": (text("", "x"), ["File exists", "set DAGSTER_HOME"]),
    "lock": (folder(".opening.lock"), ["Is a directory", ".opening.lock"]),
    "a list": (text("dagster.yaml", "[1, 2]"), ["dagster.yaml cannot be used", "dictionary"]),
    "unknown key": (text("dagster.yaml", "telemtry: {}"), ["telemtry", "Correct the file"]),
    "wrong type": (text("dagster.yaml", "telemetry: 3"), ["root:telemetry must be dict"]),
    "no YAML": (text("dagster.yaml", "a: [b\n: c"), ["dagster.yaml cannot be used", "line 2"]),
    "no text": (text("dagster.yaml", b"\xff\xfe\x00"), ["dagster.yaml cannot be used", "utf-8"]),
    "no class": (
        text("dagster.yaml", "run_storage: {module: dagster, class: Nope}"),
        ["dagster.yaml cannot be used", "Nope"],
    ),
    "no variable": (
        text(
            "dagster.yaml",
            "storage: {sqlite: {base_dir: {env: NO_SUCH_VARIABLE}}}",
        ),
        ["dagster.yaml cannot be used", "NO_SUCH_VARIABLE"],
    ),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that has been run, its Dagster home within."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder / "dagster_home"))
        api.run(write_study(folder))
    return folder


@pytest.mark.parametrize("name", HARMS)
def test_what_is_wrong_with_the_home_is_told(
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """Promised: exit 1, which file, what to do; once that is done all goes on, unpaid."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    config, home = tmp_path / "study.yaml", tmp_path / "dagster_home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    before = table_contents(config)
    harm, words = HARMS[name]
    harm(home)
    for command in ("run", "export", "preflight") if name == "runs" else ("run",):
        assert run_cli([command, str(config)]) == 1
        told = " ".join(capsys.readouterr().err.split())
        for word in [str(home), "none is lost", *words]:
            assert word.replace(" ", "") in told.replace(" ", "")
        assert "Traceback" not in told
    assert run_cli(["status", str(config)]) == 0
    assert table_contents(config) == before
    if name == "runs":
        (home / "history").rename(tmp_path / "away")
        assert api.run(config).calls == 0


def test_a_path_in_which_dagster_keeps_no_history_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("what?", "100%"):
        config = write_study(tmp_path / name)
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / name / "dagster_home"))
        assert run_cli(["run", str(config)]) == 2
        assert "set DAGSTER_HOME to another one" in " ".join(capsys.readouterr().err.split())
        assert not (tmp_path / name / "studies").exists()
    make_home(tmp_path / "a [b] c:d é #1")


def fill_history(patch: pytest.MonkeyPatch, fails_at: int | None = None) -> list[int]:
    """From the `fails_at`th event on the disk of the history is full; the numbers of the events."""
    store, numbers = SqliteEventLogStorage.store_event, list[int]()

    def storing(storage: SqliteEventLogStorage, event: EventLogEntry) -> None:
        numbers.append(len(numbers) + 1)
        if fails_at is not None and numbers[-1] >= fails_at:
            raise OperationalError("INSERT", None, Exception("database or disk is full"))
        store(storage, event)

    patch.setattr(SqliteEventLogStorage, "store_event", storing)
    return numbers


@pytest.mark.long
def test_no_event_of_a_run_is_the_wrong_moment_for_a_full_disk(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    report_fault: Report,
) -> None:
    """Promised: exit 1 and a message; the next run calls nothing again that was answered."""
    server = serve()
    with monkeypatch.context() as patch:
        events = fill_history(patch)
        api.run(declare(tmp_path / "whole", items=ITEMS))
    # Runs differ in how often they tell of progress: not all have the last event of this one.
    total, places = Loss(), some(events[1 : len(events) * 3 // 4])
    for place in places:
        server.requests = []
        config = declare(tmp_path / str(place), items=ITEMS)
        with monkeypatch.context() as patch:
            fill_history(patch, place)
            assert run_cli(["run", str(config)]) == 1
        told = " ".join(capsys.readouterr().err.split())
        assert "database or disk is full" in told and "Traceback" not in told
        api.run(config)
        total += loss_of(config, server, items=ITEMS)
        assert_reconciled(config)
    report_fault(
        "the disk of the history is full from the k-th event of a run on",
        "exit 1 says so; the next run completes",
        injected=len(places),
        loss=total,
    )


def test_a_worker_passes_on_what_is_wrong_with_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load_study(write_study(tmp_path))
    with Launcher.open(study) as launch:
        launch(["items"])
        key = PartitionKeys(study).of(study.generate_partitions()[0])
        fill_history(monkeypatch, 1)
        share = Share(["solutions", "generation_ledger"], [(key, key)], {}, 0.0, "test", {})
        error = run_share(launch, share).error
    assert isinstance(error, HistoryError)
    assert str(ensure_home(tmp_path)) in str(error)
