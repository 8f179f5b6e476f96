"""Instances of Dagster for runs in this process: its standard output stays its own."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from itemeval_assets.core.errors import HistoryError
from itemeval_assets.instances import history
from itemeval_assets.instances.instance import make_home, open_instance, uncaptured


@dg.op
def speak() -> None:
    os.write(1, b"said by the op\n")


@dg.job
def speaking() -> None:
    speak()


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def test_what_a_run_prints_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = make_home(tmp_path)
    with open_instance(home) as instance:
        run = speaking.execute_in_process(instance=instance, run_config=QUIET)
        captured = [event for event in run.all_events if event.event_type_value == "LOGS_CAPTURED"]
        assert all(event.logs_captured_data.external_stdout_url is None for event in captured)
    assert "said by the op\n" in capfd.readouterr().out
    assert not list(home.rglob("*.out"))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        recorded = instance.get_run_by_id(run.run_id)
        assert recorded is not None and recorded.status is dg.DagsterRunStatus.SUCCESS


def test_an_instance_in_memory_captures_nothing_anyway() -> None:
    with dg.DagsterInstance.ephemeral() as instance, uncaptured(instance) as quiet:
        assert quiet is instance


def _schema(path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        return "\n".join(database.iterdump())


def test_the_databases_of_further_runs_are_those_that_dagster_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    initdb = SqliteEventLogStorage._initdb
    monkeypatch.setattr(
        SqliteEventLogStorage,
        "_initdb",
        lambda storage, engine, *args, **named: (
            made.append(engine.url),
            initdb(storage, engine, *args, **named),
        ),
    )
    monkeypatch.setattr(history, "_statements", [])
    storage = history.HeldSqliteStorage(str(tmp_path / "ours"))._event_log_storage
    for number in range(3):
        storage.get_logs_for_run(f"run{number}")
    assert [Path(str(url)).stem for url in made if "run" in Path(str(url)).stem] == ["run0"]
    theirs = SqliteEventLogStorage(str(tmp_path / "theirs"))
    theirs.get_logs_for_run("run")
    assert {_schema(Path(storage.path_for_shard(f"run{number}"))) for number in range(3)} == {
        _schema(Path(theirs.path_for_shard("run")))
    }


def test_no_event_of_the_first_run_is_in_the_database_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may write events while the first database is made."""
    initdb = SqliteEventLogStorage._initdb

    def with_an_event(storage: Any, engine: Any, *args: Any, **named: Any) -> None:
        initdb(storage, engine, *args, **named)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO event_logs (run_id, event, timestamp) VALUES ('first', '{}', 0)"
            )

    storage = history.HeldSqliteStorage(str(tmp_path))._event_log_storage
    monkeypatch.setattr(history, "_statements", [])
    monkeypatch.setattr(SqliteEventLogStorage, "_initdb", with_an_event)
    for run in ("first", "second"):
        with storage.run_connection(run):
            pass
    counts = []
    for run in ("first", "second"):
        with closing(sqlite3.connect(storage.path_for_shard(run))) as database:
            counts += database.execute("SELECT count(*) FROM event_logs").fetchone()
            assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert counts == [1, 0]


def test_a_database_that_another_process_begins_at_the_same_time_is_left_to_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = history.HeldSqliteStorage(str(tmp_path))._event_log_storage
    storage.get_logs_for_run("first")
    whole = history._statements[0]
    # What is made twice is refused, as if the other process had been faster after the look.
    monkeypatch.setattr(history, "_statements", [whole.replace("COMMIT;", "") + whole])
    assert storage.get_logs_for_run("second") == []
    assert _schema(Path(storage.path_for_shard("second"))) == _schema(
        Path(storage.path_for_shard("first"))
    )


def test_the_history_of_many_runs_is_written_through_few_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = 2
    monkeypatch.setattr(history, "HELD_DATABASES", held)
    home = make_home(tmp_path)
    with open_instance(home) as instance:
        runs = [
            speaking.execute_in_process(instance=instance, run_config=QUIET).run_id
            for _ in range(held + 2)
        ]
        opened = {file.path for file in psutil.Process().open_files() if file.path.endswith(".db")}
        assert str(home / "history" / "runs" / "index.db") in opened
        assert len([path for path in opened if f"{home}/history/runs/" in path]) == held
        told = {run_id: len(instance.all_logs(run_id)) for run_id in runs}
    assert not [file for file in psutil.Process().open_files() if str(home) in file.path]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert {run_id: len(instance.all_logs(run_id)) for run_id in runs} == told
        assert min(told.values()) >= 10


def test_a_home_on_a_disk_without_room_has_no_half_of_a_config(tmp_path, monkeypatch):
    def full(path, data):
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(HistoryError, match="No space left on device"):
            make_home(tmp_path / "home")
    assert not list((tmp_path / "home").glob("*.yaml*"))
    assert (make_home(tmp_path / "home") / "dagster.yaml").stat().st_size


MANY = dg.StaticPartitionsDefinition([f"partition-{number}" for number in range(50)])


@dg.asset(partitions_def=MANY, backfill_policy=dg.BackfillPolicy.single_run())
def of_many() -> None: ...


@dg.asset_check(asset=of_many, partitions_def=MANY)
def fine() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def test_a_planned_check_is_stored_with_its_own_partition_alone(tmp_path: Path) -> None:
    job = dg.Definitions([of_many], asset_checks=[fine]).resolve_implicit_global_asset_job_def()
    first, *_, last = MANY.get_partition_keys()
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    home = make_home(tmp_path)
    with open_instance(home) as instance:
        run = instance.create_run_for_job(job, tags=tags)
    with closing(sqlite3.connect(home / "history" / "runs" / "index.db")) as database:
        planned = database.execute(
            "select partition, evaluation_event from asset_check_executions where run_id = ?",
            [run.run_id],
        ).fetchall()
    assert sorted(key for key, _ in planned) == sorted(MANY.get_partition_keys()), "one row each"
    for own, event in planned:
        assert {key for key in MANY.get_partition_keys() if f'"{key}"' in event} == {own}
