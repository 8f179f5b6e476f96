"""Whole studies in a bucket: results as on a disk, and machines that share nothing else."""

import os
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import EvidenceLost
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.runs.launching.launcher import Launcher
from itemeval_assets.stages import ledger
from itemeval_assets.storage.study.layout import REPORT
from itemeval_assets.storage.study.store import open_store
from tests.commands import Command
from tests.model_server import Behaviour
from tests.s3_server import S3Server
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, cells, rows

# Of no two runs the same.
PASSING = ["gen_run_id", "grade_run_id", "gen_log_file", "grade_log_file", "created_at"]
PASSING += ["gen_latency_s", "grade_latency_s"]


def declare(folder: Path, location: str, **options: Any) -> Path:
    extra = {"cache": False, "output_dir": location}
    return write_study(folder, **{"items": 6, **options}, extra=extra)


def machine(folder: Path, config: Path) -> Command:
    """A run in a process that has the bucket and the config, and else nothing of others."""
    own = {"XDG_CACHE_HOME": str(folder / "cache"), "DAGSTER_HOME": str(folder / "home")}
    (folder / "home").mkdir(parents=True)
    return Command("run", config, output=folder / "output.txt", environment=own)


@pytest.mark.long
def test_a_bucket_holds_the_same_rows_as_a_disk(tmp_path: Path, s3_location: str) -> None:
    design: dict[str, Any] = {"prompts": ["short", "long"], "replications": 2}
    on_disk = api.run(declare(tmp_path / "disk", "results", **design))
    config = declare(tmp_path / "bucket", s3_location, **design)
    in_bucket = api.run(config)
    assert in_bucket.failed_checks == [] and in_bucket.errored == 0
    assert in_bucket.calls == on_disk.calls == 48
    assert_reconciled(config)
    frames = [
        pd.read_parquet(summary.export.paths["export/gradings_long.parquet"])
        for summary in (on_disk, in_bucket)
    ]
    disk, bucket = (frame.drop(columns=PASSING) for frame in frames)
    assert len(disk) == 48
    pd.testing.assert_frame_equal(disk, bucket)
    again = api.run(config)
    assert (again.calls, again.recovered) == (0, 0)
    # Nothing is left behind: no running log, no lock, no lease, no reservation.
    backend = open_store(load_study(config)).backend
    assert backend.list("logs/running") == backend.list(".locks/leases") == []
    assert backend.read(".locks/held.json") == b"{}"


def test_what_people_read_of_a_bucket(tmp_path: Path, s3_location: str) -> None:
    config = declare(tmp_path, s3_location, items=2)
    api.run(config)
    where = f"{s3_location}/toy"
    for table in ("items", "solutions", "gradings", "gradings_long", "ledger", "log_index"):
        frame = pd.read_parquet(f"{where}/{table}.parquet")
        assert len(frame) == len(rows(config, table)) > 0
    written = tmp_path / "cells.csv"
    assert run_cli(["cells", str(config), "--out", str(written)]) == 0
    graders = 2
    assert len(pd.read_csv(written)) == graders * len(cells(rows(config, "solutions")))
    study = load_study(config)
    with Launcher.open(study) as launch:
        launch(["report"])
        [event] = launch.instance.fetch_materializations(asset_key(study, "report"), 1).records
    assert event.asset_materialization
    page = str(event.asset_materialization.metadata["report"].value)
    assert page == f"{where}/{REPORT}"
    assert b"</html>" in (open_store(study).backend.read(REPORT) or b"")


@pytest.mark.long
def test_two_machines_share_the_work(tmp_path: Path, s3_location: str, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.5))
    config = declare(
        tmp_path,
        s3_location,
        items=8,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
    )
    both = [machine(tmp_path / name, config) for name in ("one", "two")]
    codes = [process.wait() for process in both]
    assert codes == [0, 0], [(tmp_path / n / "output.txt").read_text() for n in ("one", "two")]
    assert server.count("m") == server.count("judge") == 8
    assert len(cells(rows(config, "solutions"))) == 8
    assert_reconciled(config)


@pytest.mark.long
def test_a_machine_goes_on_where_another_one_died(
    tmp_path: Path, s3_location: str, serve: Serve
) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(
        tmp_path,
        s3_location,
        items=60,
        models=["openai-api/test/m"],
        graders=[],
        solvers={"max_connections": 4},
    )
    victim = machine(tmp_path / "victim", config)
    victim.wait_until(lambda: server.count() >= 44)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    made = server.count()
    assert open_store(load_study(config)).backend.list("logs/running") != []
    summary = api.run(config)
    assert len(cells(rows(config, "solutions"))) == 60 and summary.errored == 0
    # What had been sent to the bucket is not called again: logs are sent every two seconds.
    assert summary.recovered >= 12
    assert server.count() - made == 60 - summary.recovered
    assert_reconciled(config)


@pytest.mark.long
def test_a_machine_that_slept_longer_than_its_lease_calls_no_more_and_books_what_it_has(
    tmp_path: Path, s3_location: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_S3_LEASE_S", "3")
    server = serve(Behaviour(latency_s=0.2))
    config = declare(
        tmp_path,
        s3_location,
        items=60,
        models=["openai-api/test/m"],
        graders=[],
        solvers={"max_connections": 4, "max_tokens": 100},
    )
    sleeper = machine(tmp_path / "sleeper", config)
    try:
        # All connections wait for answers: none is about to send another request.
        sleeper.wait_until(lambda: server.count() >= 24 and server.in_flight() == 4)
        os.kill(sleeper.pid, signal.SIGSTOP)
        other = machine(tmp_path / "other", config)
        assert other.wait() == 0, (tmp_path / "other" / "output.txt").read_text()
        by_other = server.count()
        os.kill(sleeper.pid, signal.SIGCONT)
        held_back = 3
        assert sleeper.wait() == held_back
    finally:
        sleeper.kill()
    assert server.count() == by_other
    assert "could not reach its bucket" in (tmp_path / "sleeper" / "output.txt").read_text()
    found = rows(config, "solutions")
    assert len(found) == len(cells(found)) == 60 and not any(row["error"] for row in found)
    booked = sum(row["calls"] for row in rows(config, "ledger") if row["stage"] == "generate")
    assert booked == server.answered == by_other
    assert_reconciled(config)
    assert api.run(config).calls == 0


def test_a_preflight_is_booked_in_a_bucket(tmp_path: Path, s3_location: str, serve: Serve) -> None:
    serve()
    config = declare(tmp_path, s3_location, models=["openai-api/test/m"], graders=[])
    [health] = api.preflight(config)
    assert health.verdict == "ok"
    [booked] = rows(config, "ledger")
    assert (booked["stage"], booked["calls"]) == ("preflight", 1)


@pytest.mark.parametrize("command", ["run", "status", "estimate"])
def test_a_bucket_that_there_is_not(
    tmp_path: Path, s3_location: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, "s3://nowhere/prefix")
    assert run_cli([command, str(config)]) == 2
    told = capsys.readouterr().err
    assert "there is no bucket 'nowhere'; create it" in told and "Traceback" not in told


def test_a_bucket_that_goes_away_loses_no_paid_answer(
    tmp_path: Path, s3_location: str, s3: S3Server, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_S3_MAX_ATTEMPTS", "1")

    def reply(_: Any) -> None:
        s3.faults.statuses[:] = [503] * 10_000

    server = serve(reply=reply)
    config = declare(tmp_path, s3_location, models=["openai-api/test/m"], graders=[])
    try:
        assert run_cli(["run", str(config)]) == 2
    finally:
        s3.faults.statuses.clear()
    made = server.count()
    server.reply = None
    summary = api.run(config)
    assert summary.recovered == made == 6
    assert server.count() == made
    assert_reconciled(config)


@pytest.mark.long
def test_a_loss_in_a_bucket_is_said_and_can_be_accepted(tmp_path: Path, s3_location: str) -> None:
    config = declare(tmp_path, s3_location, items=2, scorer=None)
    spent = api.run(config).status.usd or 0.0
    store, study = open_store(load_study(config)), load_study(config)
    [partition] = study.generate_partitions()
    [log] = store.read("log_index", [partition], ["log_file"])["log_file"].to_pylist()
    store.backend.delete(log)
    store.backend.delete(f"solutions.parquet/{partition[0]}.parquet")
    with pytest.raises(EvidenceLost, match="2 calls"):
        api.recover(config)
    [lost] = api.recover(config, accept_loss=True).accepted
    assert (lost.calls, lost.partition) == (2, partition) and lost.usd
    assert ledger.judge(store) == ([], [])
    again = api.run(config)
    assert again.exit_code == 0 and again.calls >= 2
    assert again.status.usd == pytest.approx(spent + (again.usd or 0.0))


def test_a_run_with_nothing_to_do_recovers_a_log_that_was_not_sent(
    tmp_path: Path, s3_location: str, serve: Serve
) -> None:
    """A machine died before it could send its answers; another one has made the calls since."""
    server = serve(Behaviour(latency_s=0.2))
    config = declare(
        tmp_path,
        s3_location,
        items=20,
        models=["openai-api/test/m"],
        graders=[],
        solvers={"max_connections": 2},
    )
    first = machine(tmp_path / "first", config)
    first.wait_until(lambda: server.count() >= 8)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert api.run(config).exit_code == 0
    assert not api.run(config).run_ids
    unsent = tmp_path / "first" / "cache" / "itemeval_assets" / "unsent"
    assert list(unsent.rglob("*.eval"))
    own = {"XDG_CACHE_HOME": str(tmp_path / "first" / "cache")}
    again = Command("run", config, output=tmp_path / "again.txt", environment=own)
    assert again.wait() == 0
    assert not list(unsent.rglob("*.eval"))
    assert not api.status(config).unread
    assert_reconciled(config)
