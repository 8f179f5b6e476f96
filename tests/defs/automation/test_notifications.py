"""Notifications: what the webhook is told of failed runs and checks, and what it is never told."""

import logging
import socket
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from itemeval_assets import stages
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.defs.automation import webhook as webhooks
from itemeval_assets.defs.automation.notifications import notification_sensors
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings
from tests.defs.runs import QUIET, SOLUTIONS, Runs, planted, runs_of, toy_study
from tests.studies import write_study
from tests.ticks import ticked

from .listening import CHECKS, RUNS, SECRET, Receiver, Ticks


def fails(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def generate(*args: Any) -> None:
        raise error

    monkeypatch.setattr(stages.solutions, "generate", generate)


def test_without_a_url_there_is_no_sensor(tmp_path: Path) -> None:
    study = toy_study(tmp_path)
    for settings in (Settings(), Settings(webhook_url="")):  # type: ignore[arg-type]
        sensors = build_definitions(settings, [study]).sensors or []
        assert not {RUNS, CHECKS} & {sensor.name for sensor in sensors}


def test_with_a_url_they_run_at_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_WEBHOOK_URL", "https://hooks.example.org/x")
    definitions = build_definitions(Settings(), [toy_study(tmp_path)])
    for name in (RUNS, CHECKS):
        found = definitions.resolve_sensor_def(name)
        assert found.default_status == dg.DefaultSensorStatus.RUNNING and found.description


@pytest.mark.parametrize("url", [SECRET, f"file:///{SECRET}", "https://", f"http://h/{SECRET} x"])
def test_what_is_no_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        notification_sensors([], list, Settings(webhook_url=url))  # type: ignore[arg-type]
    assert "ITEMEVAL_ASSETS_WEBHOOK_URL: no URL" in str(refused.value)
    assert SECRET not in str(refused.value) and SECRET not in repr(Settings(webhook_url=url))  # type: ignore[arg-type]


def test_a_failed_run_is_told_once_with_all_that_one_wants_to_know(
    fresh: Runs, receiver: Receiver
) -> None:
    ticks = Ticks(fresh, receiver.url, ui_url="https://dagster.example.org/")
    first, *_, last = span = fresh.study.generate_partitions()
    failed = fresh.run(SOLUTIONS, span=span)
    ticks()
    ticks()
    assert receiver.told == [
        "Study toy: a run failed\n"
        "assets: generation_ledger, solutions\n"
        f"partitions: {fresh.keys.of(first)} to {fresh.keys.of(last)}\n"
        "in toy__solutions: study toy has no items yet: materialize items first\n"
        f"run {failed.run_id}\n"
        f"https://dagster.example.org/runs/{failed.run_id}"
    ]
    assert receiver.requests[0][:2] == (f"/services/{SECRET}", "application/json")


def test_the_sensor_called_as_a_function(fresh: Runs, receiver: Receiver) -> None:
    partition = fresh.study.generate_partitions()[1]
    failed = fresh.run(SOLUTIONS, only=partition)
    given = Settings(webhook_url=receiver.url)  # type: ignore[arg-type]
    sensor: Any = build_definitions(given, [fresh.study]).resolve_sensor_def(RUNS)
    [event] = [e for e in failed.all_events if e.is_job_failure]
    context = dg.build_run_status_sensor_context(
        sensor_name=RUNS,
        dagster_event=event,
        dagster_instance=fresh.instance,
        dagster_run=failed.dagster_run,
    )
    sensor(context)
    [text] = receiver.told
    assert f"\npartition: {fresh.keys.of(partition)}\n" in text and "https://" not in text


@pytest.mark.parametrize(
    ("budget", "headline", "remedy"),
    [
        (
            {"confirm_above_usd": 0},
            "Study toy: a run needs consent to spend",
            "run tag `itemeval_assets/consent_usd: 0.",
        ),
        (
            {"confirm_above_usd": 0, "max_usd": 1e-9},
            "Study toy: a run is over budget.max_usd",
            "Raise budget.max_usd in the study",
        ),
    ],
)
def test_a_refusal_of_the_gate_says_how_to_consent(
    tmp_path: Path, receiver: Receiver, budget, headline: str, remedy: str
) -> None:
    study = toy_study(tmp_path, extra={"budget": budget})
    with runs_of(study) as runs:
        ticks = Ticks(runs, receiver.url)
        assert runs.run(["items"]).success
        assert not runs.run(SOLUTIONS, only=study.generate_partitions()[0]).success
        ticks()
    [text] = receiver.told
    assert text.startswith(f"{headline}\n")
    assert "None of these calls was made." in text and remedy in text


def test_no_secret_is_told(fresh: Runs, receiver: Receiver, monkeypatch) -> None:
    own_key = "0123-looks-like-no-key-at-all"
    monkeypatch.setenv("ACME_API_KEY", own_key)
    fails(
        monkeypatch,
        RuntimeError(
            f"401 <denied> at {receiver.url}, Bearer abc.def, {own_key}\n"
            + "".join(f"line {number}\n" for number in range(2, 9))
        ),
    )
    ticks = Ticks(fresh, receiver.url)
    assert fresh.run(["items"]).success
    fresh.run(SOLUTIONS, only=fresh.study.generate_partitions()[0])
    ticks()
    [text] = receiver.told
    assert "RuntimeError: 401 &lt;denied&gt; at (redacted), (redacted) (redacted)\nline 2\n" in text
    assert "line 5 ...\n" in text and "line 6" not in text
    for secret in (SECRET, own_key, "abc.def"):
        assert secret not in text


def test_a_secret_that_the_cut_would_halve_is_not_told(
    fresh: Runs, receiver: Receiver, monkeypatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "halved-secret-of-mine")
    fails(monkeypatch, RuntimeError("x" * 1475 + "halved-secret-of-mine"))
    ticks = Ticks(fresh, receiver.url)
    assert fresh.run(["items"]).success
    fresh.run(SOLUTIONS, only=fresh.study.generate_partitions()[0])
    ticks()
    [text] = receiver.told
    assert "xxx" in text and "halved" not in text


def test_runs_of_others_and_sound_runs_are_not_told(fresh: Runs, receiver: Receiver) -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("theirs", asset="other")])
    def other() -> Any:
        yield dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=False)])
        raise RuntimeError("theirs")

    ticks = Ticks(fresh, receiver.url)
    dg.materialize([other], instance=fresh.instance, raise_on_error=False, run_config=QUIET)
    assert fresh.run(["items"]).success
    ticks()
    assert receiver.told == []


def test_a_job_as_a_whole_is_told_with_the_assets_it_planned(
    fresh: Runs, receiver: Receiver
) -> None:
    ticks = Ticks(fresh, receiver.url)
    (fresh.study.config_dir / "items.jsonl").unlink()
    nightly = dg.define_asset_job("nightly", [asset_key(fresh.study, "items")])
    own = build_definitions(Settings(), [fresh.study])
    jobs = dg.Definitions.merge(own, dg.Definitions(jobs=[nightly]))
    jobs.resolve_job_def("nightly").execute_in_process(
        instance=fresh.instance, raise_on_error=False, run_config=QUIET
    )
    ticks()
    [text] = receiver.told
    assert text.startswith("Study toy: a run failed\nassets: items\nin toy__items: ")


@pytest.fixture
def defects(copied: Runs) -> Runs:
    """Two partitions with a repeated key, and one of these with a cell too few."""
    for partition in copied.study.generate_partitions()[:2]:
        rows = copied.store.read("solutions", [partition]).to_pylist()
        planted(copied, "solutions", partition, [*rows[:2], rows[0]])
    return copied


def test_failed_checks_are_told_once_per_run_with_partitions_and_rows(
    defects: Runs, receiver: Receiver
) -> None:
    ticks = Ticks(defects, receiver.url, ui_url="http://127.0.0.1:3000")
    one, two, *_ = map(defects.keys.of, span := defects.study.generate_partitions())
    result = defects.run(checks=["solutions"], span=span)
    ticks()
    ticks()
    [of_run, of_checks] = receiver.told
    assert of_run.startswith("Study toy: a run failed\nassets: solutions\n")
    assert "1 blocking asset check failed with ERROR severity" in of_run
    headline, *lines, run, link = of_checks.splitlines()
    assert headline == "Study toy: checks failed"
    assert set(lines) == {
        f"solutions keys_unique (blocking): 1 row in {one}; 1 row in {two}",
        f"solutions complete (warning): 1 row in {one}; 1 row in {two}",
    }
    assert run == f"run {result.run_id}" and link.endswith(f":3000/runs/{result.run_id}")


def test_warnings_of_a_run_that_succeeded_are_told(copied: Runs, receiver: Receiver) -> None:
    ticks = Ticks(copied, receiver.url)
    partition = copied.study.generate_partitions()[2]
    rows = copied.store.read("solutions", [partition]).to_pylist()
    planted(copied, "solutions", partition, [{**rows[0], "error": "Timeout"}, *rows[2:]])
    result = copied.run(checks=["solutions"], span=[partition])
    assert result.success
    ticks()
    [text] = receiver.told
    assert set(text.splitlines()) == {
        "Study toy: checks failed",
        f"solutions no_errored_rows (warning): 1 row in {copied.keys.of(partition)}",
        f"solutions complete (warning): 2 rows in {copied.keys.of(partition)}",
        f"run {result.run_id}",
    }


def test_a_check_without_partitions_is_told(copied: Runs, receiver: Receiver) -> None:
    ticks = Ticks(copied, receiver.url)
    with (copied.study.config_dir / "items.jsonl").open("a") as file:
        file.write("\n")
    copied.run(checks=["items"])
    ticks()
    assert "\nitems dataset_unchanged (blocking): 1 row\n" in receiver.told[-1]


def refused_port() -> str:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}/services/{SECRET}"


def test_an_unreachable_webhook_is_a_line_in_the_log_and_the_cursors_move_on(
    fresh: Runs, receiver: Receiver, capfd
) -> None:
    ticks = Ticks(fresh, refused_port())
    before = dict(ticks.cursors)
    fresh.run(SOLUTIONS, only=fresh.study.generate_partitions()[0])
    ticks()
    assert ticks.cursors[RUNS] != before[RUNS] and ticks.cursors[CHECKS] != before[CHECKS]
    said = capfd.readouterr().err
    assert "cannot notify the webhook: Connection refused" in said
    assert "has no items yet" in said and SECRET not in said
    told_later = Ticks(fresh, receiver.url)
    told_later.cursors = ticks.cursors
    told_later()
    assert receiver.told == []


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    caplog.set_level(logging.ERROR)
    return logging.getLogger("tick")


def test_a_webhook_that_never_answers_is_given_up(log, caplog, monkeypatch) -> None:
    monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/{SECRET}"
        webhooks.Webhook(url).tell("text", log)
    assert "no answer within 0.2 s" in caplog.text and SECRET not in caplog.text


def test_a_webhook_that_answers_with_an_error_is_a_line_in_the_log(log, caplog, receiver) -> None:
    receiver.status = 410
    webhooks.Webhook(receiver.url).tell("text", log)
    assert "it answered 410\ntext" in caplog.text and SECRET not in caplog.text


def test_studies_of_several_names_are_told_apart(tmp_path: Path, receiver: Receiver) -> None:
    studies: list[Study] = [toy_study(tmp_path / name, study=name) for name in ("one", "two")]
    with runs_of(studies[1]) as runs:
        given = Settings(webhook_url=receiver.url)  # type: ignore[arg-type]
        ticks = Ticks(runs, receiver.url)
        ticks.definitions = build_definitions(given, studies)
        runs.run(SOLUTIONS, only=studies[1].generate_partitions()[0])
        ticks()
    [text] = receiver.told
    assert text.startswith("Study two: ")


def test_a_study_that_cannot_be_loaded_is_told_once(tmp_path: Path, receiver: Receiver) -> None:
    config = write_study(tmp_path / "toy", extra={"budgett": {}})
    url: Any = receiver.url
    given = Settings(root=tmp_path, webhook_url=url, ui_url="http://ui/")
    sensor = build_definitions(given).resolve_sensor_def("toy_broken")
    with dg.DagsterInstance.ephemeral() as instance:
        cursor = None
        for _ in range(2):
            context = dg.build_sensor_context(instance, cursor)
            cursor = ticked(sensor, context).cursor
    [text] = receiver.told
    assert text.startswith(f"Study toy_broken: cannot be loaded\n{config}\n")
    assert "did you mean 'budget'" in text and text.endswith("http://ui/assets/toy_broken/study")
