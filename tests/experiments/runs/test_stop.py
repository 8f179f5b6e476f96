"""Ctrl-C and kill -9 at any point of a run: what is finished is kept, nothing is left running."""

import math
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from itemeval_assets.core.errors import Stopped
from itemeval_assets.experiments import BaseExperiment, ExperimentStorageSettings
from itemeval_assets.experiments.runs import assets
from itemeval_assets.experiments.work.partitions import partition_of_run
from itemeval_assets.experiments.work.workers import bar
from itemeval_assets.experiments.work.workers.watch import Watch
from itemeval_assets.instances.instance import taking_turns
from tests.commands import Program, processes_in, wait_until
from tests.experiments import toys

# How many points of runs, on both kinds of place and with both executors together.
pytestmark = pytest.mark.faults
KILLS = int(os.environ.get("TEST_KILLS", "1"))
POINTS = math.ceil(KILLS / 4)
SPECS = 16
PATIENCE_S = 120.0
SCRIPT = """
import sys, time
from itemeval_assets.experiments import BaseExperiment, ExperimentRunSettings
from itemeval_assets.experiments.work import shard_store
from tests.experiments.toys import Deed, deed

shard_store._LONG = 0.0  # on a busy machine a spec is short beside saving it: none is here
does, executor, log = sys.argv[1:]
specs = [Deed(n=n, does=does, log=log) for n in range({specs})]
settings = ExperimentRunSettings(executor=executor, max_concurrent=2)
found = BaseExperiment(deed)
if found.list_versions():
    ref = found.resume(found.latest_run, run_settings=settings)
else:
    _, ref = found.allocate(specs, run_settings=settings)
print(len(ref.result()))
"""


class Script:
    """A script that runs an experiment, or goes on with it."""

    def __init__(self, folder: Path, executor: str, does: str = "wait") -> None:
        self.log = folder / "log"
        self.path = folder / "script.py"
        self.path.write_text(SCRIPT.format(specs=SPECS))
        self.arguments = [does, executor, str(self.log)]

    def start(self, **options: Any) -> Program:
        number = len([*self.path.parent.glob("*.out")])
        output, errors = (self.path.with_name(f"{number}.{name}") for name in ("out", "err"))
        given = {"output": output, "errors": errors, "folder": self.path.parent, **options}
        return Program(self.path, *self.arguments, **given)

    def begun(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    def wait_for(self, specs: int, process: Program) -> None:
        process.wait_until(lambda: len(self.begun()) >= specs)


def ends(process: Program) -> tuple[int, str, str]:
    return process.wait(PATIENCE_S), process.output.read_text(), process.errors.read_text()


def assert_completed(script: Script, at_work: int) -> None:
    """A later run goes on, and repeats no spec but those that were at work."""
    assert ends(script.start()) == (0, f"{SPECS}\n", "")
    begun = Counter(script.begun())
    assert len(begun) == SPECS
    assert sum(begun.values()) - SPECS <= at_work
    run = BaseExperiment(toys.deed).latest_run
    assert run.status().status == "complete"
    assert [len(v.list_runs()) for v in BaseExperiment(toys.deed).list_versions()] == [1]
    stored = run.backend.list(run.place.exchange)
    assert [key.rpartition("/")[2] for key in stored] == ["00000.jsonl", "00000.zip"]


def points() -> list[int]:
    """After how many specs a run is cut off."""
    chosen = random.Random(5)
    return [chosen.randint(1, SPECS - 3) for _ in range(POINTS)]


# Each place with one of the executors, and with both where there are many.
BOTH = ("in_process", "multiprocess")
CASES = [(place, executor) for place in ("folder", "bucket") for executor in BOTH]
KILLED = CASES if KILLS > 1 else CASES[3:]
STOPPED = CASES if KILLS > 1 else CASES[:1]


@pytest.mark.parametrize(("storage", "executor"), KILLED, indirect=["storage"])
@pytest.mark.parametrize("point", points())
def test_a_killed_run_goes_on_where_it_was(
    storage: ExperimentStorageSettings, tmp_path: Path, executor: str, point: int
) -> None:
    script = Script(tmp_path, executor)
    process = script.start()
    script.wait_for(point, process)
    process.kill()
    ends(process)
    # Who has lost its parent ends, at the latest with what it is at.
    deadline = time.monotonic() + 10
    while processes_in(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert_completed(script, at_work=2 if executor == "multiprocess" else 1)


@pytest.mark.parametrize(("storage", "executor"), STOPPED, indirect=["storage"])
@pytest.mark.parametrize("point", points())
def test_ctrl_c_stops_a_run_and_says_what_to_do(
    storage: ExperimentStorageSettings, tmp_path: Path, executor: str, point: int
) -> None:
    script = Script(tmp_path, executor)
    process = script.start()
    script.wait_for(point, process)
    process.send_signal(signal.SIGINT)
    code, out, told = ends(process)
    assert (code, out) == (-signal.SIGINT, "")
    assert f"of {SPECS} specs; finished specs are kept; " in told and "resume()" in told
    said = "stops when the spec at work is finished; Ctrl-C again ends the process at once"
    assert executor == "multiprocess" or said in told
    assert not processes_in(tmp_path)
    assert_completed(script, at_work=2 if executor == "multiprocess" else 0)


@pytest.mark.long
def test_a_spec_of_a_process_of_its_own_holds_no_stop_up(
    folder: ExperimentStorageSettings, tmp_path: Path
) -> None:
    script = Script(tmp_path, "multiprocess", does="hang")
    process = script.start()
    script.wait_for(2, process)
    process.send_signal(signal.SIGINT)
    code, _, told = ends(process)
    assert code == -signal.SIGINT and f"has stopped after 0 of {SPECS} specs" in told
    assert not processes_in(tmp_path)


def test_a_second_ctrl_c_ends_the_process_that_a_spec_holds_up(
    folder: ExperimentStorageSettings, tmp_path: Path
) -> None:
    script = Script(tmp_path, "in_process", does="hang")
    process = script.start()
    script.wait_for(1, process)
    process.send_signal(signal.SIGINT)
    process.wait_until(lambda: "Ctrl-C again ends the process" in process.errors.read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == -signal.SIGINT
    # Who says so outlives it.
    said = "the process ended during spec 0 (n=0, does='hang',"
    wait_until(lambda: said in process.errors.read_text())


def test_a_run_that_was_stopped_is_canceled_in_dagster(
    storage: ExperimentStorageSettings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    specs = [toys.Deed(n=n, does="wait", log=str(log)) for n in range(20)]
    found = BaseExperiment(toys.deed)
    _, ref = found.allocate(specs, instance=instance)
    while not log.exists():
        time.sleep(0.01)
    ref.stop()
    with pytest.raises(Stopped, match=r"was stopped; finished specs are kept; .* resume\(\)"):
        ref.result()
    assert ref.status().dagster == "CANCELED"
    record = instance.get_run_by_id(ref.dagster_run_id)
    assert record is not None and record.status == dg.DagsterRunStatus.CANCELED
    begun = len(log.read_text().split())
    assert begun < 20
    assert len(found.resume(ref.run, instance=instance).result()) == 20
    assert len(log.read_text().split()) == 20


def test_ctrl_c_elsewhere_in_a_script_stops_its_runs_too(
    folder: ExperimentStorageSettings, tmp_path: Path
) -> None:
    script = Script(tmp_path, "in_process")
    text = script.path.read_text().replace("print(len(ref.result()))", "time.sleep(3600)")
    script.path.write_text(text)
    process = script.start()
    script.wait_for(2, process)
    process.send_signal(signal.SIGINT)
    code, _, told = ends(process)
    assert code == -signal.SIGINT and "has stopped after" in told
    assert 2 <= len(script.begun()) < SPECS


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM] if KILLS > 1 else [signal.SIGTERM])
def test_a_run_of_dagster_that_is_ended_leaves_no_process(
    folder: ExperimentStorageSettings, tmp_path: Path, how: signal.Signals
) -> None:
    script = Script(tmp_path, "multiprocess", does="hang")
    (tmp_path / "defs.py").write_text(
        "from itemeval_assets.experiments import experiment_definitions\n"
        "from tests.experiments.toys import deed\n"
        "defs = experiment_definitions([deed])\n"
    )
    specs = [toys.Deed(n=n, does="hang" if n else "", log=str(script.log)) for n in range(4)]
    run, _ = BaseExperiment(toys.deed).allocate(specs, start=False)
    where = ["-d", tmp_path, "-f", tmp_path / "defs.py"]
    process = Program(
        "dagster._cli:main",
        *["asset", "materialize", *where, "--select", "deed"],
        *["--partition", partition_of_run(run)],
        output=tmp_path / "output.txt",
        folder=tmp_path,
        environment={"ITEMEVAL_ASSETS_EXPERIMENT_EXECUTOR": "multiprocess"},
    )
    process.wait_until(lambda: len(script.begun()) >= 3)
    process.send_signal(how)
    process.wait()
    deadline = time.monotonic() + 10
    while processes_in(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stored = run.backend.list(run.place.shard_outputs)
    assert [key.rpartition("/")[2] for key in stored] == ["00000.zip"]


def test_people_at_a_terminal_see_a_bar(folder: ExperimentStorageSettings, tmp_path: Path) -> None:
    script = Script(tmp_path, "in_process")
    ours, theirs = os.openpty()
    terminal = Path(os.ttyname(theirs))
    process = script.start(errors=terminal, environment={"COLUMNS": "120"})
    os.close(theirs)
    shown = b""
    # The end of the other side is an error on Linux.
    with suppress(OSError):
        while data := os.read(ours, 4096):
            shown += data
    os.close(ours)
    assert process.wait(PATIENCE_S) == 0
    assert f"/{SPECS}".encode() in shown and b"deed/v1.0.0/" in shown


def test_what_is_said_of_a_run_that_has_not_begun_or_is_at_its_end(
    folder: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = BaseExperiment(toys.deed)
    has_turn, end = threading.Event(), threading.Event()

    def hold() -> None:
        with taking_turns():
            has_turn.set()
            end.wait(PATIENCE_S)

    threading.Thread(target=hold).start()
    assert has_turn.wait(PATIENCE_S)
    _, waiting = found.allocate([toys.Deed(n=1)], instance=instance)
    stopping = threading.Thread(target=waiting.stop)
    stopping.start()
    while not waiting.watch.is_stopped:
        time.sleep(0.01)
    end.set()
    stopping.join()
    assert "has stopped before its first spec; finished specs are kept" in capsys.readouterr().err
    with pytest.raises(Stopped, match=r"resume\(\) continues"):
        waiting.result()

    gathering, gather_run = threading.Event(), assets.gather_run

    def slow(run: Any) -> Any:
        gathering.set()
        time.sleep(0.5)
        return gather_run(run)

    monkeypatch.setattr(assets, "gather_run", slow)
    _, ending = found.allocate([toys.Deed(n=1)], instance=instance)
    assert gathering.wait(PATIENCE_S)
    ending.stop()
    assert "had no spec left to run, and is finished" in capsys.readouterr().err
    assert len(ending.result()) == 1


def test_a_wait_at_a_terminal_has_an_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(bar, "_SHOWN_AFTER_S", 0.05)
    watch = Watch()
    watch.total, watch.done, watch.failed = 10, 4, 2
    assert not bar.shown_until(threading.Event(), watch, "run", 0.5)
    assert "4/10" in capsys.readouterr().err
    ended = threading.Event()
    ended.set()
    assert bar.shown_until(ended, watch, "run")
