"""Several runs of one process take turns, and leave its logging and its end to it."""

import textwrap
from pathlib import Path

import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    ExperimentRunSettings,
    ExperimentStorageSettings,
    experiment,
)
from tests.commands import run_script
from tests.experiments.toys import Number, square

SCRIPT = """
import logging, sys, threading, time
from itemeval_assets.experiments import *

logging.basicConfig(filename="mine.log", level="INFO", format="%(message)s")

class Wait(ExperimentInputSpec):
    seconds: float

class Waited(ExperimentOutputSpec):
    doubled: float

@experiment()
def wait(spec: Wait) -> Waited:
    time.sleep(spec.seconds)
    return Waited(doubled=2 * spec.seconds)

waits = BaseExperiment(wait)
"""


def script(folder: Path, body: str, home: str | None = None) -> tuple[int, str, str]:
    path = folder / "script.py"
    path.write_text(SCRIPT + textwrap.dedent(body))
    return run_script(path, folder=folder, environment={"DAGSTER_HOME": home})


@pytest.fixture
def squares(folder: ExperimentStorageSettings) -> BaseExperiment[Number, ExperimentOutputSpec]:
    return BaseExperiment(square, storage_settings=folder)


# Without a home is also what the next test is.
@pytest.mark.parametrize("home", ["a home", pytest.param("", marks=pytest.mark.long)])
def test_two_runs_and_the_log_of_their_script(tmp_path: Path, home: str) -> None:
    body = """
    handler = logging.getLogger().handlers[0]
    logging.info("before")
    _, first = waits.allocate([Wait(seconds=0.2), Wait(seconds=0.1)])
    run, second = waits.allocate([Wait(seconds=0.3)])
    third = waits.resume(run)
    print(first.status().dagster, third.status().dagster)
    print(second.result(60)["doubled"].tolist(), third.result(60)["doubled"].tolist())
    print(first.result(60)["doubled"].tolist())
    logging.info("after")
    print(handler.stream.closed)
    """
    times = 2 if home else 1  # the second time, the home is there
    for _ in range(times):
        code, printed, said = script(tmp_path, body, str(tmp_path / home) if home else None)
        assert code == 0, said
        assert printed.splitlines()[1:] == ["[0.6] [0.6]", "[0.4, 0.2]", "False"]
        assert "QUEUED" in printed.splitlines()[0] and said == ""
    assert (tmp_path / "mine.log").read_text() == "before\nafter\n" * times


@pytest.mark.long
def test_a_script_waits_for_its_runs_but_for_one_it_has_waited_for_in_vain(tmp_path: Path) -> None:
    body = """
    waits.allocate([Wait(seconds=1)])
    print(len(threading.enumerate()) > 1)
    """
    assert script(tmp_path, body) == (0, "True\n", "")
    read = BaseExperiment(
        "wait", storage_settings=ExperimentStorageSettings(BUCKET=str(tmp_path / "experiments"))
    )
    assert read.load_results()["doubled"].tolist() == [2.0]
    hanging = """
    _, hangs = waits.allocate([Wait(seconds=0), Wait(seconds=3600)])
    waits.allocate([Wait(seconds=0)])
    hangs.result(2)
    """
    code, _, said = script(tmp_path, hanging)
    assert code == 1
    assert "is not finished after 2 s" in said and "resume() continues" in said


def test_no_run_is_started_within_another(
    squares: BaseExperiment[Number, ExperimentOutputSpec],
    folder: ExperimentStorageSettings,
) -> None:
    class Outer(ExperimentInputSpec):
        x: int

    class Nothing(ExperimentOutputSpec):
        pass

    @experiment()
    def nested(spec: Outer) -> Nothing:
        squares.allocate([Number(x=spec.x)])
        return Nothing()

    run, reference = BaseExperiment(nested, storage_settings=folder).allocate([Outer(x=1)])
    with pytest.raises(Exception, match="inside a spec of another run"):
        reference.result(60)
    assert "a process runs one at a time" in run.load_results("errors")["message"].iloc[0]
    assert squares.list_versions() == []


def test_no_run_is_started_in_a_process_of_multiprocessing(tmp_path: Path) -> None:
    body = """
    import multiprocessing

    def again() -> None:
        waits.allocate([Wait(seconds=0)])

    if __name__ == "__main__":
        child = multiprocessing.get_context("spawn").Process(target=again)
        child.start()
        child.join()
        print(child.exitcode, waits.list_versions())
    """
    _, printed, said = script(tmp_path, body)
    assert printed == "1 []\n"
    assert 'if __name__ == "__main__":' in said


def test_settings_are_still_read_where_a_run_is_only_published(
    squares: BaseExperiment[Number, ExperimentOutputSpec],
) -> None:
    settings = ExperimentRunSettings(executor="multiprocess", shard_size=1)
    run, reference = squares.allocate([Number(x=2)], start=False, run_settings=settings)
    assert not reference.is_started
    with pytest.raises(ConfigError, match="without being started"):
        reference.result(1)
    assert squares.resume(run).result(60)["square"].tolist() == [4]
