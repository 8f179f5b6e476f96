"""What one spec does to its process harms no other spec, and is told."""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from itemeval_assets.core.errors import ConfigError, RunFailed
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentRunSettings,
    ExperimentStorageSettings,
    SpecError,
    experiment,
)
from itemeval_assets.experiments.outputs.outcomes import Outcome
from itemeval_assets.experiments.spec.limits import limits
from itemeval_assets.experiments.work.workers import pool
from itemeval_assets.experiments.work.workers.lookout import label_of
from tests.commands import processes_in, run_script, wait_until
from tests.experiments import toys
from tests.experiments.toys import Deed, Done

APART = ExperimentRunSettings(executor="multiprocess", max_concurrent=2)
TOGETHER = ExperimentRunSettings(executor="in_process")
pytestmark = pytest.mark.faults
ROUNDS = 3 if "TEST_LONG" in os.environ else 1


@pytest.fixture
def reason(tmp_path: Path) -> Path:
    """As long as it is there, specs do what they should not."""
    path = tmp_path / "reason"
    path.touch()
    return path


def deeds(reason: Path, *does: str, **fields: Any) -> list[Deed]:
    return [Deed(n=n, does=what, reason=str(reason), **fields) for n, what in enumerate(does)]


def errors(run: Any) -> dict[int, tuple[str, str]]:
    found: pd.DataFrame = run.load_results("errors").reset_index()
    pairs = zip(found["error_type"], found["message"], strict=True)
    return dict(zip(found["sort_index"], pairs, strict=True))


@pytest.mark.parametrize(
    ("storage", "count"),
    [
        ("folder", 100),
        pytest.param("folder", 1000, marks=pytest.mark.long),
        pytest.param("bucket", 100, marks=pytest.mark.long),
    ],
    indirect=["storage"],
)
def test_many_specs_of_which_six_are_bad(
    storage: ExperimentStorageSettings, instance: dg.DagsterInstance, reason: Path, count: int
) -> None:
    does = [""] * count
    bad = {7: "exit", 20: "hang", 40: "allocate", 60: "raise", 61: "raise", 99: "raise"}
    for n, what in bad.items():
        does[n] = what
    found = BaseExperiment(toys.limited_deed)
    run, ref = found.allocate(deeds(reason, *does), instance=instance)
    assert len(ref.result()) == count - 6
    told = errors(run)
    assert list(told) == sorted(bad)
    assert told[7] == ("ProcessEnded", "its process ended with exit code 3")
    assert told[20][0] == "TimeoutError" and "timeout_s = 3" in told[20][1]
    assert told[40] == ("MemoryError", "more than memory = 1.0GB was asked for")
    assert told[60] == ("ValueError", "no 60")
    reason.unlink()
    again = found.resume(run, instance=instance).result()
    assert again["doubled"].tolist() == [2 * n for n in range(count)]
    assert run.status().status == "complete"


def test_a_crash_is_told_by_its_signal(
    folder: ExperimentStorageSettings, instance: dg.DagsterInstance, reason: Path
) -> None:
    specs = deeds(reason, "", "crash", "sys.exit", "", "kill", "odd signal")
    run, ref = BaseExperiment(toys.deed).allocate(specs, run_settings=APART, instance=instance)
    assert ref.result()["doubled"].tolist() == [0, 6]
    assert errors(run) == {
        4: ("ProcessEnded", "its process ended with SIGKILL, as when memory is used up"),
        5: ("ProcessEnded", "its process ended with signal 40"),
        1: ("ProcessEnded", "its process ended with SIGSEGV"),
        2: ("SystemExit", "4"),
    }


@pytest.mark.parametrize("settings", [TOGETHER, APART], ids=["in_process", "multiprocess"])
def test_a_spec_that_fails_is_tried_again(
    storage: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    reason: Path,
    settings: ExperimentRunSettings,
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    specs = deeds(reason, "", "raise", log=str(log))
    found = BaseExperiment(toys.stubborn_deed)
    run, ref = found.allocate(specs, run_settings=settings, instance=instance)
    assert ref.result()["doubled"].tolist() == [0]
    assert sorted(log.read_text().split()) == ["0"] * 3 + ["1"] * 3
    assert errors(run) == {1: ("ValueError", "no 1")}


def test_workers_stay_warm_and_small_runs_need_none(
    folder: ExperimentStorageSettings, instance: dg.DagsterInstance, reason: Path
) -> None:
    one = ExperimentRunSettings(executor="multiprocess", max_concurrent=1, shard_size=2)
    found = BaseExperiment(toys.deed)
    _, ref = found.allocate(deeds(reason, *[""] * 6), run_settings=one, instance=instance)
    processes = set(ref.result()["process"])
    assert len(processes) == 1 and os.getpid() not in processes
    _, ref = found.allocate(deeds(reason, *[""] * 6), instance=instance)
    assert set(ref.result()["process"]) == {os.getpid()}
    _, ref = found.allocate(deeds(reason, *[""] * 101), instance=instance)
    assert os.getpid() not in set(ref.result()["process"])


def test_where_specs_cannot_be_run_as_asked_is_said_before_anything_is_written(
    folder: ExperimentStorageSettings, instance: dg.DagsterInstance
) -> None:
    @experiment
    def of_a_function(spec: Deed) -> Done:
        return Done(doubled=0, process=0)

    with pytest.raises(ConfigError, match=r"of_a_function cannot be imported by other processes"):
        BaseExperiment(of_a_function).allocate([Deed(n=1)], run_settings=APART, instance=instance)
    with pytest.raises(ConfigError, match="limited_deed has timeout_s and memory, which need"):
        BaseExperiment(toys.limited_deed).allocate([Deed(n=1)], run_settings=TOGETHER)
    assert not Path(folder.location).exists()


def test_limits_need_a_function_that_can_be_imported(folder: ExperimentStorageSettings) -> None:
    @experiment(timeout_s=1)
    def slow(spec: Deed) -> Done:
        return Done(doubled=0, process=0)

    with pytest.raises(ConfigError, match=r"timeout_s needs other processes, and .* leave it out"):
        BaseExperiment(slow).allocate([Deed(n=1)])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"timeout_s": float("inf")}, "timeout_s is inf"),
        ({"timeout_s": "3"}, "timeout_s is '3'"),
        ({"retries": -1}, "retries is -1"),
        ({"retries": 1.5}, "retries is 1.5"),
        ({"memory": "much"}, "memory is 'much'"),
        ({"memory": 0}, "memory is 0"),
        ({"memory": True}, "memory is True"),
    ],
)
def test_what_is_no_limit_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        limits(**given)


def test_memory_can_be_limited_on_linux_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SpecError, match="memory can be limited on Linux alone; leave it out"):
        limits(memory="1 GB")


def test_memory_is_bytes_or_text() -> None:
    assert limits(memory="2 GB").memory_bytes == limits(memory=2 * 10**9).memory_bytes
    assert limits(memory="1 MiB").memory_bytes == 2**20


SCRIPT = """
import ctypes, os, sys
from itemeval_assets.experiments import *
from itemeval_assets.experiments import BaseExperiment

class In(ExperimentInputSpec):
    n: int

class Out(ExperimentOutputSpec):
    same: int

@experiment
def of_the_script(spec: In) -> Out:
    if spec.n == 2 and not os.path.exists("mended"):
        ctypes.string_at(0)
    return Out(same=spec.n)

found = BaseExperiment(of_the_script)
if found.list_versions():
    ref = found.resume(found.latest_run)
else:
    _, ref = found.allocate([In(n=n) for n in range(5)])
print(ref.result()["same"].tolist())
"""


@pytest.mark.long
def test_a_function_of_a_script_takes_the_script_along_and_is_passed_over(tmp_path: Path) -> None:
    script, environment = tmp_path / "script.py", {"DAGSTER_HOME": None}

    def run() -> tuple[int, str, str]:
        code, printed, _ = run_script(script, folder=tmp_path, environment=environment)
        # Who tells of its end outlives it.
        wait_until(lambda: not processes_in(tmp_path))
        return code, printed, script.with_suffix(".err").read_text()

    script.write_text(SCRIPT)
    code, _, said = run()
    assert code == -signal.SIGSEGV
    assert "the process ended during spec 2 (n=2)" in said
    code, printed, said = run()
    assert (code, printed) == (0, "[0, 1, 3, 4]\n"), said
    read = BaseExperiment(
        "of_the_script",
        storage_settings=ExperimentStorageSettings(BUCKET=str(tmp_path / "experiments")),
    )
    assert errors(read.latest_run)[2][0] == "ProcessEnded"
    assert "skipped it. resume() tries it again" in errors(read.latest_run)[2][1]
    (tmp_path / "mended").touch()
    assert run()[1] == "[0, 1, 2, 3, 4]\n"


def run_text(folder: Path, text: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a script."""
    script = folder / "script.py"
    script.write_text(
        "from itemeval_assets.experiments import *\nfrom tests.experiments.toys import *\n" + text
    )
    return run_script(script, environment=environment)


@pytest.mark.long
def test_a_suspect_of_a_module_is_run_apart(
    storage: ExperimentStorageSettings, instance: dg.DagsterInstance, reason: Path, tmp_path: Path
) -> None:
    text = f"""
specs = [Deed(n=n, does="exit" if n == 1 else "", reason={str(reason)!r}) for n in range(4)]
BaseExperiment(deed).allocate(specs)
"""
    code, _, told = run_text(tmp_path, text)
    found = BaseExperiment(toys.deed)
    run = found.latest_run
    deadline = time.monotonic() + 20
    while not run.backend.exists(run.place.cut_off(0)):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    told = (tmp_path / "script.err").read_text()
    assert code == 3 and "spec 1 (n=1, does='exit'," in told and "call resume()" in told
    assert found.resume(run, instance=instance).result()["doubled"].tolist() == [0, 4, 6]
    assert errors(run) == {1: ("ProcessEnded", "its process ended with exit code 3")}
    reason.unlink()
    assert len(found.resume(run, instance=instance).result()) == 4


@pytest.mark.parametrize("settings", [TOGETHER, APART], ids=["in_process", "multiprocess"])
def test_no_spec_starts_a_run(
    folder: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    settings: ExperimentRunSettings,
) -> None:
    found = BaseExperiment(toys.nesting_deed)
    run, ref = found.allocate([Deed(n=1)], run_settings=settings, instance=instance)
    with pytest.raises(RunFailed, match="cannot start inside a spec of another run"):
        ref.result()
    assert errors(run)[0][0] == "ConfigError"
    assert BaseExperiment(toys.deed).list_versions() == []


def test_a_module_that_cannot_be_imported_again_is_named(
    folder: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = tmp_path / "once_only.py"
    module.write_text(
        "from itemeval_assets.experiments import experiment\n"
        "from tests.experiments.toys import Deed, Done\n\n"
        "@experiment\n"
        "def once(spec: Deed) -> Done:\n    return Done(doubled=0, process=0)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from once_only import once  # type: ignore[import-not-found]

    for text, says in (
        ("raise RuntimeError('only once')", "RuntimeError: only once"),
        ("import os; os._exit(5)", "ended with exit code 5 while it loaded once_only:once"),
    ):
        module.write_text(text)
        _, ref = BaseExperiment(once).allocate([Deed(n=1)], run_settings=APART, instance=instance)
        with pytest.raises(RunFailed, match=says):
            ref.result()


@pytest.mark.interpreters
def test_a_process_that_is_not_needed_any_more_ends_in_silence(
    folder: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    reason: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The last spec ends its process, and the one that takes its place is still loading."""
    three = ExperimentRunSettings(executor="multiprocess", max_concurrent=3)
    for _ in range(ROUNDS):
        _, ref = BaseExperiment(toys.deed).allocate(
            deeds(reason, "", "", "exit", ""), run_settings=three, instance=instance
        )
        assert len(ref.result()) == 3
    assert capfd.readouterr().err == ""


def test_a_killed_run_leaves_no_folder_of_its_workers_and_no_other_is_touched(
    folder: ExperimentStorageSettings, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    (temporary / "of another").mkdir(parents=True)
    text = """
import os, signal
settings = ExperimentRunSettings(executor="multiprocess")
specs = [Deed(n=n, does="hang", log=os.environ["LOG"]) for n in range(4)]
BaseExperiment(deed).allocate(specs, run_settings=settings)
while not os.path.exists(os.environ["LOG"]): pass
os.kill(os.getpid(), signal.SIGKILL)
"""
    log = str(tmp_path / "log")
    code, _, _ = run_text(tmp_path, text, TMPDIR=str(temporary), DAGSTER_HOME="", LOG=log)
    assert code == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while left := list(temporary.glob("itemeval_assets*")):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    assert (temporary / "of another").is_dir()


@pytest.mark.parametrize("settings", [TOGETHER, APART], ids=["in_process", "multiprocess"])
def test_whatever_a_function_raises_is_its_specs_failure(
    storage: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    reason: Path,
    settings: ExperimentRunSettings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    specs = deeds(reason, "", "raise any", "")
    run, ref = BaseExperiment(toys.deed).allocate(specs, run_settings=settings, instance=instance)
    assert ref.result()["doubled"].tolist() == [0, 4]
    assert errors(run) == {1: ("CancelledError", "no 1")}
    assert capfd.readouterr().err == ""


def test_a_function_that_interrupts_itself_is_its_specs_failure_where_it_has_a_process(
    folder: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    reason: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    specs = deeds(reason, "", "interrupt", "")
    run, ref = BaseExperiment(toys.deed).allocate(specs, run_settings=APART, instance=instance)
    assert ref.result()["doubled"].tolist() == [0, 4]
    assert errors(run)[1][0] == "KeyboardInterrupt"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("does", ["fork", "write to all"])
def test_a_spec_that_speaks_for_others_loses_none_of_them(
    folder: ExperimentStorageSettings, instance: dg.DagsterInstance, reason: Path, does: str
) -> None:
    one = ExperimentRunSettings(executor="multiprocess", max_concurrent=1)
    specs = deeds(reason, "", does, *[""] * 6)
    run, ref = BaseExperiment(toys.deed).allocate(specs, run_settings=one, instance=instance)
    found = ref.result().reset_index()["sort_index"].tolist()
    failed = errors(run) if "errors" in run.list_results_files() else {}
    assert sorted([*found, *failed]) == list(range(8))
    assert set(failed) <= ({1} if does == "write to all" else set())
    assert run.status().specs == 8


@pytest.mark.parametrize("settings", [TOGETHER, APART], ids=["in_process", "multiprocess"])
def test_a_child_that_a_spec_leaves_behind_holds_nothing_up(
    folder: ExperimentStorageSettings,
    reason: Path,
    settings: ExperimentRunSettings,
    tmp_path: Path,
) -> None:
    text = f"""
settings = ExperimentRunSettings(executor={settings.executor!r}, max_concurrent=1)
reason = {str(reason)!r}
specs = [Deed(n=n, does="leave a child" if n == 1 else "", reason=reason) for n in range(4)]
_, ref = BaseExperiment(deed).allocate(specs, run_settings=settings)
print(len(ref.result(15)), flush=True)
"""
    assert run_text(tmp_path, text) == (0, "4\n", "")


@pytest.mark.parametrize("settings", [TOGETHER, APART], ids=["in_process", "multiprocess"])
def test_what_is_no_text_in_the_path_of_modules_is_passed_over(
    folder: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    settings: ExperimentRunSettings,
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, Path("nowhere")])
    _, ref = BaseExperiment(toys.deed).allocate(
        [Deed(n=1)], run_settings=settings, instance=instance
    )
    assert ref.result()["doubled"].tolist() == [2]


def test_a_spec_that_ends_its_process_is_named_without_its_secrets() -> None:
    label = label_of(Deed(n=1, log="postgres://user:hunter2pw@host/db"))
    assert label.startswith("spec 0 (n=1, ")
    assert "hunter2pw" not in label and "postgres://" in label


def test_specs_that_are_lost_on_the_way_are_no_complete_run(
    storage: ExperimentStorageSettings, instance: dg.DagsterInstance, reason: Path
) -> None:
    found = BaseExperiment(toys.deed)
    run, _ = found.allocate(deeds(reason, *[""] * 10), start=False, instance=instance)
    key = run.place.shard_input(0)
    run.backend.update(key, lambda data: b"".join((data or b"").splitlines(keepends=True)[:6]))
    with pytest.raises(RunFailed, match=r"scatter-gather: 6 of 10 specs have an outcome"):
        found.resume(run, instance=instance).result()
    assert run.status().status == "unfinished" and run.list_results_files() == {}


def test_a_spec_that_answers_for_others_wherever_it_is_run_has_failed(
    folder: ExperimentStorageSettings,
    instance: dg.DagsterInstance,
    reason: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The outcomes of spec 1 bear another number, in each process that it is given to."""
    hear = pool._Worker.hear

    def misheard(self: pool._Worker) -> Any:
        told = hear(self)
        if isinstance(told, Outcome) and told.sort_index == 1:
            return replace(told, sort_index=7)
        return told

    monkeypatch.setattr(pool._Worker, "hear", misheard)
    specs = deeds(reason, "", "", "")
    run, ref = BaseExperiment(toys.deed).allocate(specs, run_settings=APART, instance=instance)
    assert ref.result()["doubled"].tolist() == [0, 4]
    assert errors(run)[1][0] == "ProcessEnded"
