"""Everything that the definitions offer is exercised through the real entry, and seen to work.

Add an option, a key, a field, a setting or a tag, and `test_a_case_exercises` fails until a case in
`cases` has it. With TEST_EVERY=1 (`make faults`) each command line is a process of its own, and the
documents are run on S3 and by two workers, too.
"""

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentStorage,
    experiment_definitions,
)
from itemeval_assets.settings import Settings
from itemeval_assets.storage.objects.s3 import open_s3
from itemeval_assets.storage.s3.bucket import s3_client
from itemeval_assets.storage.study.store import open_store
from tests.defs.runs import GRADINGS, SOLUTIONS, message, runs_of
from tests.experiments.toys import Number, square
from tests.studies import write_study
from tests.task_files import QUESTIONS

from . import points
from .cases import COMMANDS, DOCUMENTS, LAUNCHES, Launch

pytestmark = [pytest.mark.faults, pytest.mark.shown]
EVERY = bool(os.environ.get("TEST_EVERY"))
# Ways to name the right choice, which tests of targets have as well.
LONG = {f"choices by {kind}" for kind in ("index", "number", "label")}
STEPS = {"solutions": SOLUTIONS, "gradings": GRADINGS}
MAIN = "from itemeval_assets.cli.main import main; main()"
ATTRIBUTES = {
    "study": "study.yaml",
    "output_dir": "elsewhere",
    "budget": {"max_usd": 3},
    "started": True,
    "group": "guards",
    "tags": {"team": "guard"},
    "owners": ["team:guard"],
}
STORAGE = {"bucket": "./published", "bucket_prefix": "lab"}
# Variables that a code location is loaded with, and those of S3 and of experiments.
LOADED = {
    "ITEMEVAL_ASSETS_STUDIES": "*.yaml",
    "ITEMEVAL_ASSETS_ROOT": "{folder}",
    "ITEMEVAL_ASSETS_OWNERS": "team:all",
    "ITEMEVAL_ASSETS_WEBHOOK_URL": "https://hooks.example.org/x",
    "ITEMEVAL_ASSETS_UI_URL": "https://ui.example.org",
    "ITEMEVAL_ASSETS_UI_ORIGINS": "https://lab.example.org",
    "ITEMEVAL_ASSETS_STUDY_FILES": "[]",
}
EXECUTORS = ("in_process", "multiprocess", "celery")
S3_VARIABLES = {
    "ITEMEVAL_ASSETS_S3_ENDPOINT_URL": "http://127.0.0.1:9",
    "ITEMEVAL_ASSETS_S3_REGION_NAME": "eu-north-1",
    "ITEMEVAL_ASSETS_S3_PROFILE_NAME": "lab",
    "ITEMEVAL_ASSETS_S3_MAX_ATTEMPTS": "2",
    "ITEMEVAL_ASSETS_S3_LEASE_S": "7.5",
}
EXPERIMENT_VARIABLES = {
    "ITEMEVAL_ASSETS_EXPERIMENT_SHARD_SIZE": "1",
    "ITEMEVAL_ASSETS_EXPERIMENT_MAX_CONCURRENT": "1",
    "SCYTHE_STORAGE_BUCKET": "./published",
    "SCYTHE_STORAGE_BUCKET_PREFIX": "lab",
}
EXPERIMENT_EXECUTORS = ("auto", "in_process", "multiprocess")


def test_a_case_exercises(tmp_path: Path) -> None:
    """No option, key, field, setting or tag is without a case."""
    study = load_study(write_study(tmp_path))
    there_are = {
        *points.of_commands(),
        *points.of_study_keys(),
        *points.of_run_config(study),
        *points.of_settings(),
        *points.of_components(),
        *points.of_tags(),
    }
    exercised = {
        *(point for case in COMMANDS for point in points.of_arguments(_filled(case.line).split())),
        *(point for case in DOCUMENTS.values() for point in points.of_document(case.keys)),
        *(point for case in LAUNCHES for point in points.of_launch(case.step, case.config)),
        *(f"tag {tag}" for case in LAUNCHES for tag in case.tags),
        *points.of_environment(LOADED),
        *points.of_environment(S3_VARIABLES),
        *points.of_environment(EXPERIMENT_VARIABLES),
        *(f"setting ITEMEVAL_ASSETS_EXECUTOR={name}" for name in ("", *EXECUTORS)),
        "setting ITEMEVAL_ASSETS_EXECUTOR",
        *(f"setting ITEMEVAL_ASSETS_EXPERIMENT_EXECUTOR={name}" for name in EXPERIMENT_EXECUTORS),
        "setting ITEMEVAL_ASSETS_EXPERIMENT_EXECUTOR",
        *points.of_attributes("StudyComponent", ATTRIBUTES),
        *points.of_launch("ExperimentStorage", STORAGE),
        *(f"tag {tag}" for tag in TAGS_OF_RUNS),
    }
    assert sorted(there_are - exercised) == []


# Tags that commands and the schedule set; test_all_ways looks for them on the runs.
TAGS_OF_RUNS = {
    ".dagster/itemeval_assets_process",
    ".dagster/itemeval_assets_reserved_by",
    "itemeval_assets/rerun_of",
    "study",
    "stage",
    "condition",
    "grader",
    "cost",
}


def test_every_command_with_every_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(webbrowser, "open", lambda address: True)
    config = write_study(
        tmp_path, models=["mockllm/a", "mockllm/b"], items=3, extra={"cache": False}
    )
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        known = {"config": config, "folder": tmp_path, "port": busy.getsockname()[1]}
        for case in COMMANDS:
            if "{run}" in case.line:
                runs = sorted((tmp_path / "experiments/scythe/toy/v2.0.0").iterdir())
                known["run"] = runs[0].name
            line = _filled(case.line, **known)
            code, out, said = _command(line.split())
            assert code == case.exit_code, (line, said)
            shown = json.loads(out) if "--json" in line else out + said
            assert case.shows(shown), (line, shown)
    assert (tmp_path / "new/study.yaml").exists()


@pytest.mark.parametrize("place", ["disk", "bucket"] if EVERY else ["disk"])
@pytest.mark.parametrize("workers", [1, 2] if EVERY else [1])
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in DOCUMENTS],
)
def test_every_key_of_the_study(
    name: str, workers: int, place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    case = DOCUMENTS[name]
    keys: dict[str, Any] = {**case.keys}
    if place == "bucket":
        keys["output_dir"] = request.getfixturevalue("s3_location")
    config = _written(tmp_path, keys)
    code, out, said = _command(["run", str(config), "--yes", "--json", f"--workers={workers}"])
    shown = json.loads(out)
    if case.message is not None:
        assert (code, shown["exit_code"]) == (2, 2) and case.message in said
        return
    assert code == 0, said
    assert case.shows(shown), shown
    store = open_store(load_study(config))
    manifests = [store.read_json(key) or {} for key in store.backend.list("manifests")]
    assert manifests
    for manifest in manifests:
        assert _holds(manifest["config"], keys), manifest["config"]


def test_automation_and_owners_are_in_the_definitions(tmp_path: Path) -> None:
    keys = DOCUMENTS["everything"].keys
    found = build_definitions(Settings(), [load_study(_written(tmp_path, keys))])
    schedule = found.resolve_schedule_def("everything_reruns")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("7 * * * *", "Asia/Tokyo")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    sensor = found.resolve_sensor_def("everything_automation")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    graph = found.resolve_asset_graph()
    solutions = graph.get(dg.AssetKey(["everything", "solutions"]))
    assert solutions.automation_condition is not None  # paid
    assert solutions.backfill_policy == dg.BackfillPolicy.multi_run(2)


def test_every_field_of_the_run_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", str(tmp_path / "published"))
    config = write_study(
        tmp_path,
        items=3,
        policy="dev",
        extra={"cache": False, "budget": {"confirm_above_usd": 0}},
    )
    api.run(config, max_usd=1)
    study = load_study(config)
    (solutions,), gradings = study.generate_partitions(), study.grade_partitions()[-1]
    partitions = {"solutions": solutions, "gradings": gradings}
    with runs_of(study) as runs:
        assert isinstance(solutions, tuple)
        for case in LAUNCHES:
            consent: Mapping[str, str] = case.tags
            config_of_step = {**case.config}
            if case.step in partitions and case.succeeds and "consent_usd" not in config_of_step:
                config_of_step["consent_usd"] = 1.0
            result = runs.run(
                STEPS.get(case.step, (case.step,)),
                only=partitions.get(case.step),  # type: ignore[arg-type]
                config=config_of_step,
                tags=consent,
            )
            assert result.success == case.succeeds, (case, message(result))
            if case.succeeds:
                assert case.shows(_metadata(result, case)), (case, _metadata(result, case))


@pytest.mark.parametrize("step", ["solutions", "estimate"])
def test_a_policy_that_there_is_not_is_refused_in_the_run_config(step: str, tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, items=1))
    with (
        runs_of(study) as runs,
        pytest.raises(dg.DagsterInvalidConfigError, match="config:policy not in enum"),
    ):
        only = study.generate_partitions()[0] if step == "solutions" else None
        runs.run(STEPS.get(step, (step,)), only=only, config={"policy": "all"})


def test_every_setting_of_a_code_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path, study="first")
    for name, value in LOADED.items():
        monkeypatch.setenv(name, _filled(value, folder=tmp_path))
    found = build_definitions(Settings())
    graph = found.resolve_asset_graph()
    assert {node.key.path[0] for node in graph.asset_nodes} == {"first"}
    assert {tuple(node.owners) for node in graph.asset_nodes} == {("team:all",)}
    sensors = {sensor.name for sensor in found.sensors or []}
    assert {"itemeval_assets_failed_runs", "itemeval_assets_failed_checks"} <= sensors
    assert Settings().ui_url == "https://ui.example.org"
    assert "https://lab.example.org" in str(Settings().ui_addresses())
    elsewhere = write_study(tmp_path / "else:where", study="second")
    monkeypatch.setenv("ITEMEVAL_ASSETS_STUDY_FILES", json.dumps([str(elsewhere)]))
    named = build_definitions(Settings()).resolve_asset_graph()
    assert {node.key.path[0] for node in named.asset_nodes} == {"second"}


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_executor(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXECUTOR", name)
    found = build_definitions(Settings(), [load_study(write_study(tmp_path))])
    assert found.executor is not None and found.executor.name == name  # type: ignore[union-attr]


def test_every_setting_of_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(
        "[profile lab]\naws_access_key_id = id-of-the-lab\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in S3_VARIABLES.items():
        monkeypatch.setenv(name, value)
    client = s3_client()
    assert open_s3(f"s3://guarded/{tmp_path.name}")._locks.lifetime_s == 7.5
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.config.retries["total_max_attempts"] in (2, 3)
    assert client._request_signer._credentials.access_key == "id-of-the-lab"


@pytest.mark.parametrize("executor", EXPERIMENT_EXECUTORS)
def test_every_setting_of_experiments(
    executor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in EXPERIMENT_VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ITEMEVAL_ASSETS_EXPERIMENT_EXECUTOR", executor)
    run, reference = BaseExperiment(square).allocate([Number(x=x) for x in (1, 2)])
    found = reference.result(timeout=300)
    assert found["square"].tolist() == [1, 4] and run.status().succeeded == 2
    # Where specs run, and how many at a time, shows in their processes.
    assert (os.getpid() in set(found["process"])) == (executor != "multiprocess")
    assert found["process"].nunique() == 1
    assert reference.status().shards == 2
    assert (tmp_path / "published/lab").is_dir()


def test_the_storage_of_experiments_in_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = experiment_definitions([square], ExperimentStorage(**STORAGE))
    storage = (found.resources or {})["experiment_storage"]
    assert isinstance(storage, ExperimentStorage)
    assert storage.settings().location == str(tmp_path / "published")
    assert storage.settings().BUCKET_PREFIX == "lab"


def test_every_attribute_of_the_component() -> None:
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.defs_folder_path / "guarded"
        write_study(folder, study="guarded")
        document = {"type": "itemeval_assets.StudyComponent", "attributes": ATTRIBUTES}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))
        with sandbox.build_all_defs() as found:
            nodes = [*found.resolve_asset_graph().asset_nodes]
            [study] = (found.resources or {})["study_tables"]._studies
            schedule = found.resolve_schedule_def("guarded_reruns")
    assert {node.key.path[0] for node in nodes} == {"guarded"}
    assert {tuple(node.owners) for node in nodes} == {("team:guard",)}
    assert {node.group_name for node in nodes} == {"guards", "guards_on_demand"}
    assert {node.tags["team"] for node in nodes} == {"guard"}
    assert study.location == str(folder / "elsewhere" / "guarded")
    assert study.config.budget.max_usd == 3
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def _filled(text: str, **known: Any) -> str:
    """The text with its placeholders filled in; where nothing is known, with some word."""
    for name in ("config", "folder", "port", "run"):
        text = text.replace(f"{{{name}}}", str(known.get(name, "1")))
    return text


def _command(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    if EVERY:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as said,
    ):
        code = run_cli(arguments)
    return code, out.getvalue(), said.getvalue()


def _written(folder: Path, keys: Mapping[str, Any]) -> Path:
    """A study with exactly these keys, and the files that they name."""
    write_study(folder, items=3)
    (folder / "own/prompts/solver").mkdir(parents=True)
    (folder / "own/prompts/solver/mine.md").write_text("Solve.\n\n{input}\n\nANSWER: <number>\n")
    (folder / "own/rubrics").mkdir()
    (folder / "rubrics/write.md").write_text("How is an answer to this graded? {input}\n")
    (folder / "rubrics/by_rubric.md").write_text("{rubric}\n\n{input}\n\n{solution}\n")
    (folder / "items.csv").write_text(
        "id;question;answer;scheme;topic\n"
        + "".join(f"q{n};What is {n} + {n}?;{2 * n};right;sums\n" for n in range(3)),
        encoding="utf-8",
    )
    (folder / "roster.txt").write_text("mockllm/a\nmockllm/b\nmockllm/c\n")
    (folder / "mine.py").write_text("def score(s, t, m):\n    return t in s\n")
    (folder / "tasks.py").write_text(QUESTIONS)
    options = {"text": ["one", "two"], "label": ["i", "ii"]}
    right = {"letter": "B", "index": 1, "number": 2, "text": "two", "label": "ii"}
    rows = [{"question": f"1 + 1 = {n}?", "options": options, **right} for n in range(3)]
    (folder / "choices.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    chat = [{"role": "user", "content": "1 + 1?"}]
    (folder / "chats.jsonl").write_text(json.dumps({"question": chat, "answer": 2}) + "\n")
    prices = {"mockllm/a": {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}}
    stamp = datetime.now(UTC).isoformat()
    (folder / "prices.json").write_text(json.dumps({"models": prices, "updated_at": stamp}))
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(dict(keys), sort_keys=False))
    return path


def _holds(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is in what was found, at every depth."""
    if isinstance(wanted, Mapping):
        return all(key in found and _holds(found[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_holds, found, wanted))
    return found == wanted


def _metadata(result: dg.ExecuteInProcessResult, case: Launch) -> dict[str, Any]:
    """The metadata of the asset of a step, as its run recorded them."""
    for event in result.get_asset_materialization_events():
        made = event.step_materialization_data.materialization
        if made.asset_key.path[-1] == case.step:
            return {name: value.value for name, value in made.metadata.items()}
    raise AssertionError(f"{case.step} was not materialized")
