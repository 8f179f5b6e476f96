"""What Dagster keeps of an error: read from its SQLite files, whatever raised it."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info
from pydantic import SecretStr

from itemeval_assets import stages
from itemeval_assets.core.errors import StoreError
from itemeval_assets.dagster_io.failures import MOST_CHARACTERS, users_errors
from itemeval_assets.defs.automation import notifications
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.experiments import BaseExperiment
from itemeval_assets.experiments.runs import assets as experiment_assets
from itemeval_assets.instances.instance import make_home
from itemeval_assets.settings import Settings
from itemeval_assets.storage.study import attempts
from itemeval_assets.storage.study.store import ResultsStore
from tests.defs.runs import message, runs_of, toy_study
from tests.experiments import toys
from tests.experiments.toys import simulate_energy, simulations
from tests.ticks import ticked

KEY = "value-of-a-variable-that-names-a-key"
BEARER = "abcdefgh12345678"
SECRETS = [KEY, BEARER, "sk-0123456789abcdef0123", "hunter2hunter2"]
MEGABYTES = "x" * 3_000_000


def leak(*_: Any, **__: Any) -> Any:
    """An error with secrets in its message, its cause, its context, its notes and its source."""
    try:
        try:
            raise KeyError(f"sk-0123456789abcdef0123 of {KEY}")
        except KeyError:
            raise OSError("https://me:hunter2hunter2@example.org") from None
    except OSError as error:
        error.add_note("Authorization: Bearer abcdefgh12345678")
        try:
            raise ValueError("Bearer abcdefgh12345678") from error
        except ValueError:
            raise RuntimeError(f"the server said no to {KEY}\n{MEGABYTES}")  # noqa: B904


def refuse(*_: Any, **__: Any) -> Any:
    """An error for the user, raised from one that holds secrets."""
    try:
        leak()
    except RuntimeError as error:
        raise StoreError(f"the disk is full, says Bearer {BEARER} with {KEY}") from error


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Dagster home whose every file is looked at for secrets at the end."""
    monkeypatch.setenv("SOME_API_KEY", KEY)
    folder = tmp_path / "dagster_home"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    yield folder
    toys.failing.clear()
    texts = list(recorded(folder))
    assert any("STEP_FAILURE" in text or "the server said" in text for text in texts)
    assert [(secret, text) for secret in SECRETS for text in texts if secret in text] == []
    assert max(map(len, texts)) < 100_000


def recorded(home: Path) -> Iterator[str]:
    """Every text in Dagster's databases."""
    for path in home.rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("select name from sqlite_master where type = 'table'")
            for (table,) in tables.fetchall():
                for row in database.execute(f"select * from {table}"):
                    yield from (value for value in row if isinstance(value, str))


WHERE: dict[str, tuple[Any, str, list[str]]] = {
    "an asset": (stages.items, "load", ["items"]),
    "the IO manager": (ResultsStore, "replace", ["items"]),
    "a check": (stages.items, "changed_datasets", ["items"]),
}


@pytest.mark.parametrize("error", [leak, refuse])
@pytest.mark.parametrize("where", WHERE)
def test_the_history_of_a_study_holds_no_secret(
    where: str,
    error: Callable[..., Any],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner, name, assets = WHERE[where]
    monkeypatch.setattr(owner, name, error)
    with runs_of(toy_study(tmp_path), on_disk=True) as runs:
        result = runs.run(assets)
        assert not result.success
        said = message(result)
        assert said.startswith("RuntimeError: the server" if error is leak else "the disk is full")
        assert "(redacted)" in said and len(said) < 2 * MOST_CHARACTERS


@pytest.mark.parametrize("error", [leak, refuse])
@pytest.mark.parametrize("step", ["pending_shards", "run_shard", "gather_run", "run_metadata"])
def test_the_history_of_an_experiment_holds_no_secret(
    step: str,
    error: Callable[..., Any],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", str(tmp_path / "bucket"))
    monkeypatch.setattr(experiment_assets, step, error)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        _, ref = BaseExperiment(simulate_energy).allocate(simulations(2), instance=instance)
        with pytest.raises(Exception, match=r"server said|disk is full") as found:
            ref.result()
    assert not any(secret in str(found.value) for secret in SECRETS)


def test_failed_specs_hold_no_secret_in_the_history_and_in_errors(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", str(tmp_path / "bucket"))
    with pytest.raises(RuntimeError) as raised:
        leak()
    toys.failing[1.0] = raised.value
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run, ref = BaseExperiment(simulate_energy).allocate(simulations(2), instance=instance)
        assert len(ref.result()) == 1
    errors = run.load_results("errors")
    assert MEGABYTES in errors["message"].iloc[0]
    texts = [*errors["message"], *errors["traceback"]]
    texts += [data.decode("utf-8", "replace") for data in stored(run)]
    assert [secret for secret in SECRETS for text in texts if secret in text] == []
    assert any("the server said no to (redacted)" in text for text in recorded(home))


def stored(run: Any) -> Iterator[bytes]:
    for key in run.backend.list(run.prefix):
        yield run.backend.read(key) or b""


def test_a_run_all_of_whose_specs_failed_says_why_without_a_secret(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", str(tmp_path / "bucket"))
    with pytest.raises(RuntimeError) as raised:
        leak()
    toys.failing[0.0] = raised.value
    with dg.DagsterInstance.from_config(str(home)) as instance:
        _, ref = BaseExperiment(simulate_energy).allocate(simulations(1), instance=instance)
        with pytest.raises(Exception, match="RuntimeError: the server said no to") as found:
            ref.result()
    assert not any(secret in str(found.value) for secret in SECRETS)


def test_an_unexpected_error_may_be_retried_and_has_its_traceback() -> None:
    with pytest.raises(dg.Failure) as found, users_errors():
        {}["gone"]
    assert found.value.allow_retries and found.value.description == "KeyError: 'gone'"
    assert '{}["gone"]' in str(found.value.metadata["traceback"].value)
    assert found.value.__cause__ is None and found.value.__suppress_context__


def test_an_end_that_was_meant_passes() -> None:
    meant = dg.Failure("as I say")
    with pytest.raises(dg.Failure) as found, users_errors():
        raise meant
    assert found.value is meant


def test_a_tick_that_fails_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    settings = Settings(webhook_url=SecretStr("http://127.0.0.1:9/hook"))
    definitions = build_definitions(settings, [toy_study(tmp_path)])
    monkeypatch.setattr(attempts, "count_failures", leak)
    monkeypatch.setattr(notifications, "ended_runs", leak)
    with dg.DagsterInstance.from_config(str(make_home(tmp_path / "home"))) as instance:
        schedule = definitions.resolve_schedule_def("toy_reruns")
        sensor = definitions.resolve_sensor_def("itemeval_assets_failed_checks")
        told = [
            ended_with(lambda: ticked(schedule, dg.build_schedule_context(instance))),
            ended_with(lambda: ticked(sensor, dg.build_sensor_context(instance))),
        ]
        monkeypatch.setattr(attempts, "count_failures", refuse)
        skipped = ticked(schedule, dg.build_schedule_context(instance)).skip_message or ""
    assert "the disk is full, says (redacted) with (redacted)" in skipped
    for text in told:
        assert "the server said no to (redacted)" in text
    assert [secret for secret in SECRETS for text in (*told, skipped) if secret in text] == []


def ended_with(tick: Callable[[], Any]) -> str:
    """The error of a tick, as Dagster records it."""
    try:
        tick()
    except Exception:
        return serializable_error_info_from_exc_info(sys.exc_info()).to_string()
    raise AssertionError("the tick did not fail")
