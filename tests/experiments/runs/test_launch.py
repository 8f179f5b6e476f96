"""What goes wrong once a run is published: the run is there, and can be resumed."""

from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments import BaseExperiment, LaunchFailed
from itemeval_assets.experiments.runs import launch
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.objects.s3 import S3Backend
from tests.commands import run_script
from tests.experiments.toys import Number, square


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """Studies that have run in this process have made all logs quiet."""
    caplog.set_level("WARNING", "itemeval_assets")


@pytest.fixture
def squares(storage: Any) -> BaseExperiment[Any, Any]:
    return BaseExperiment(square)


@pytest.fixture
def broken_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Dagster home that cannot be opened."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("storage: {no: such}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@pytest.mark.parametrize("start", [True, False])
def test_a_run_that_dagster_cannot_take_is_published_and_resumed(
    squares, broken_home, start, instance, caplog
):
    run, ref = squares.allocate([Number(x=3)], start=start)
    assert squares.latest_run == run and run.status().status == "unfinished"
    with pytest.raises(LaunchFailed) as found:
        ref.result()
    said = str(found.value)
    assert said.startswith(f"{run.experiment_id} is published in {run.uri}, but Dagster could not")
    assert str(broken_home / "dagster.yaml") in said and "resume(run)" in said
    assert found.value.run == run and found.value.exit_code == 1
    assert (run.experiment_id in caplog.text) == (not start)
    assert ref.status().dagster == ("FAILURE" if start else "NOT_STARTED")
    (broken_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert squares.resume(found.value.run).result()["square"].tolist() == [9]
    assert len(squares.list_versions()) == 1


@pytest.mark.parametrize("start", [True, False])
def test_a_store_that_fails_once_the_run_is_published(
    squares, start, instance, monkeypatch, caplog
):
    def fail(self, key):
        raise StoreError(f"cannot read {self.uri(key)}: the network is down")

    backend = type(squares.backend)
    assert backend in (LocalBackend, S3Backend)
    with monkeypatch.context() as patch:
        patch.setattr(launch, "_begin", lambda *_: pytest.fail("it was begun"))
        patch.setattr(backend, "read", fail)
        run, ref = squares.allocate([Number(x=3)], start=start, instance=instance)
    with pytest.raises(LaunchFailed, match="the network is down"):
        ref.result()
    assert run.uri in caplog.text
    assert squares.resume(run, instance=instance).result()["square"].tolist() == [9]


def test_a_history_that_breaks_in_the_midst_is_told_with_the_run(squares, instance, monkeypatch):
    def fail(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(launch, "_add_partition", fail)
        run, ref = squares.allocate([Number(x=3)], instance=instance)
        with pytest.raises(LaunchFailed, match="OSError: no space left") as found:
            ref.result(timeout=60)
    assert isinstance(found.value.__cause__, OSError)
    assert squares.resume(run, instance=instance).result()["square"].tolist() == [9]


def test_ctrl_c_once_a_run_is_published_says_where_it_is(squares, instance, monkeypatch, caplog):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "_add_partition", interrupt)
    with pytest.raises(KeyboardInterrupt):
        squares.allocate([Number(x=3)], start=False, instance=instance)
    run = squares.latest_run
    assert f"{run.experiment_id} is published in {run.uri}; resume(run) runs it" in caplog.text


SCRIPT = """
import time
from itemeval_assets.experiments import BaseExperiment
from tests.experiments.toys import Number, square

run, ref = BaseExperiment(square).allocate([Number(x=3)])
while ref.status().dagster == "QUEUED":
    time.sleep(0.01)
{then}
"""


@pytest.mark.parametrize("then", ["", "try: ref.result()\nexcept Exception: pass"])
def test_a_script_that_asks_for_no_result_is_told_at_its_end(folder, broken_home, tmp_path, then):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(then=then))
    code, printed, said = run_script(script)
    assert (code, printed) == (0, "")
    run = BaseExperiment(square).latest_run
    assert said.count(f"{run.experiment_id} is published in {run.uri}") == (not then)
