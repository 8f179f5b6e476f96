"""Logs of `inspect eval` come into a study of their task: nobody is called, no score differs."""

import json
import re
import shlex
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import inspect_ai
import pytest
import yaml
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ModelConfig, ModelOutput, ModelUsage, get_model

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError, StoreError
from itemeval_assets.storage.objects.s3 import S3Backend
from itemeval_assets.storage.s3.bucket import s3_client, split_s3
from tests.commands import Program
from tests.s3_server import S3Server
from tests.whole.looking import assert_reconciled

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = HERE / "eval_logs"
VERSIONS = ("0.3.112", "0.3.180", "0.3.285")


def run(config: Path) -> Any:
    return ie.run(config, policy="full-interactive")


def declare(folder: Path, task: str = "capitals", **more: Any) -> Path:
    """A study of the task beside its YAML."""
    shutil.copy(KEPT / "tasks.py", folder)
    document = {
        "study": "logged",
        "benchmark": {"adapter": "inspect", "task": f"tasks.py@{task}"},
        "solvers": {"models": ["mockllm/model"]},
        "facets": {"replications": 1},
        "output_dir": "ours",
        **more,
    }
    config = folder / "study.yaml"
    config.write_text(yaml.safe_dump(document))
    return config


def answered(
    folder: Path, task: str = "capitals", *, texts: Sequence[str] = (), **how: Any
) -> Path:
    """The folder of a log that `inspect eval` makes now, of the task beside the study."""

    def reply(text: str) -> ModelOutput:
        told = ModelOutput.from_content("mockllm/model", text)
        told.usage = ModelUsage(input_tokens=7, output_tokens=3, total_tokens=10)
        return told

    logs = folder / "logs"
    given = [reply(text) for text in texts or ["Paris"] * 30]
    inspect_ai.eval(
        f"{folder}/tasks.py@capitals",
        model=get_model(how.pop("model", "mockllm/model"), custom_outputs=given),
        log_dir=str(logs),
        display="none",
        **how,
    )
    return logs


def kept_logs(version: str, task: str, folder: Path) -> Path:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    for path in (KEPT / version).glob(f"*_{task}_*.eval"):
        shutil.copy(path, logs)
    return logs


def scores_of(log: EvalLog) -> dict[tuple[str, str], float]:
    """{(item, score): value} as inspect_ai has it, with C and I as numbers."""
    numbers: dict[Any, float] = {"C": 1.0, "I": 0.0, True: 1.0, False: 0.0}
    found: dict[tuple[str, str], float] = {}
    for sample in log.samples or []:
        for name, score in (sample.scores or {}).items():
            values: Any = score.value if isinstance(score.value, dict) else {None: score.value}
            for key, value in values.items():
                full = name if key is None else f"{name}.{key}"
                found[str(sample.id), full] = numbers[value]
    return found


@pytest.mark.parametrize("task", ["capitals", "several"])
@pytest.mark.parametrize("version", VERSIONS)
def test_logs_of_several_versions_come_in_with_their_scores(
    tmp_path: Path, version: str, task: str
) -> None:
    config, logs = declare(tmp_path, task), kept_logs(version, task, tmp_path)
    [log] = [read_eval_log(str(path)) for path in logs.iterdir()]
    found = ie.import_results(logs, config)
    assert (found.items, found.solutions, found.gradings, found.logs) == (6, 6, 0, 1)
    assert any("next run" in note for note in found.notes)
    again = ie.import_results(logs, config)
    assert again.is_nothing

    summary = run(config)
    assert (summary.exit_code, summary.calls) == (0, 0)
    rows = ie.table(config, "gradings_long")
    told = dict(
        zip(zip(rows["item_id"], rows["scorer_name"], strict=True), rows["score"], strict=True)
    )
    assert told == scores_of(log)
    answers = {str(sample.id): sample.output.completion for sample in log.samples or []}
    solutions = ie.table(config, "solutions")
    assert dict(zip(solutions["item_id"], solutions["solution"], strict=True)) == answers
    assert {*solutions["run_id"]} == {log.eval.run_id}
    ledger = ie.table(config, "ledger")
    used = log.stats.model_usage["mockllm/model"]
    assert ledger["total_tokens"].sum() == used.total_tokens == 6 * 10 + sum(range(1, 7))
    assert_reconciled(config)


def test_of_logs_of_one_cell_the_latest_answer_counts_and_all_are_booked(tmp_path: Path) -> None:
    config = declare(tmp_path)
    logs = tmp_path / "logs"
    for version in VERSIONS:
        kept_logs(version, "capitals", tmp_path)
    found = ie.import_results(logs, config)
    assert (found.solutions, found.logs) == (6, 3)
    assert any("12 answers are of cells that another log answers, too" in n for n in found.notes)
    assert ie.import_results(logs, config).is_nothing
    assert run(config).calls == 0
    latest = max(logs.iterdir(), key=lambda path: read_eval_log(str(path)).eval.created)
    solutions = ie.table(config, "solutions")
    assert {*solutions["run_id"]} == {read_eval_log(str(latest)).eval.run_id}
    assert ie.table(config, "ledger")["total_tokens"].sum() == 3 * (6 * 10 + sum(range(1, 7)))
    assert_reconciled(config)


def test_an_answer_beats_a_later_error(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    answered(tmp_path, texts=["Paris"], fail_on_error=False)  # no reply is left for the others
    ie.import_results(logs, config)
    assert ie.table(config, "solutions")["error"].isna().all()
    assert run(config).calls == 0


def test_what_does_not_fit_stays_out_and_is_counted(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    kept_logs("0.3.285", "several", tmp_path)
    answered(tmp_path, task_args={"n": 3})
    answered(tmp_path, temperature=0.5)
    answered(tmp_path, epochs=2)
    answered(tmp_path, model="mockllm/other")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    found = ie.import_results(logs, config, dry_run=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert {(left.count, left.what) for left in found.left_out} == {
        (1, "logs of other tasks"),
        (1, "logs of capitals with other arguments"),
        (1, "logs of mockllm/model with temperature 0.5"),
        (1, "logs of mockllm/other with no settings of its own"),
        (6, "answers of further epochs"),
    }
    assert (found.solutions, found.logs) == (6, 2)
    ie.import_results(logs, config)
    assert run(config).calls == 0
    assert_reconciled(config)


def test_settings_and_epochs_that_the_design_has_come_in(tmp_path: Path) -> None:
    configs = [{"name": "warm", "temperature": 0.5}, {"name": "plain"}]
    config = declare(tmp_path, facets={"replications": 2, "model_config": configs})
    logs = answered(tmp_path, temperature=0.5, epochs=2, max_connections=3)
    found = ie.import_results(logs, config)
    assert (found.solutions, found.left_out) == (12, [])
    solutions = ie.table(config, "solutions")
    assert {*solutions["model_config_name"]} == {"warm"}
    assert {*solutions["epoch"]} == {1, 2}


def test_answers_to_other_questions_stay_out(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    code = (tmp_path / "tasks.py").read_text()
    code = code.replace('"Peru": "Lima"', '"Peru": "Cusco"').replace('"Kenya": "Nairobi",', "")
    (tmp_path / "tasks.py").write_text(code)
    found = ie.import_results(logs, config)
    assert found.solutions == 4
    assert {(left.count, left.what) for left in found.left_out} == {
        (1, "answers to other questions, or with other targets"),
        (1, "answers to samples that are no items"),
    }
    copy = next((tmp_path / "ours").rglob("logs/generate/*/*.eval"))
    assert {sample.id for sample in read_eval_log(str(copy)).samples or []} == {
        *("France", "Spain", "Italy", "Japan")
    }
    assert_reconciled(config)


def write(log: EvalLog, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_eval_log(log, str(path))
    return path


def later(log: EvalLog, task_id: str, *, keeps_answers: bool) -> EvalLog:
    """A log of another eval, with the same answers, or with answers of its own that are alike."""
    spec = log.eval.model_copy(
        update={"task_id": task_id, "run_id": task_id, "created": "2027-01-01T00:00:00+00:00"}
    )
    samples = [
        one if keeps_answers else one.model_copy(update={"uuid": f"{task_id}{one.id}"})
        for one in log.samples or []
    ]
    return log.model_copy(update={"eval": spec, "samples": samples})


def test_an_answer_that_a_retry_has_again_comes_in_once(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    [path] = logs.iterdir()
    log = read_eval_log(str(path))
    samples = log.samples or []
    of_first = sum((one.model_usage["mockllm/model"] for one in samples[:4]), ModelUsage())
    stats = log.stats.model_copy(update={"model_usage": {"mockllm/model": of_first}})
    first = log.model_copy(update={"samples": samples[:4], "stats": stats})
    used = sum(sample.model_usage["mockllm/model"].total_tokens for sample in samples)
    path.unlink()
    write(first, logs / "first.eval")
    write(later(log, "retry", keeps_answers=True), logs / "second.eval")
    assert not ie.import_results(logs, config).is_nothing
    found = ie.import_results(logs, config)
    assert found.is_nothing
    assert any("4 answers are in several logs" in note for note in found.notes)
    assert run(config).calls == 0
    assert ie.table(config, "ledger")["total_tokens"].sum() == used
    assert_reconciled(config)
    ie.import_results(logs / "second.eval", config)
    assert_reconciled(config)


def test_all_models_that_samples_asked_are_booked(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    [path] = logs.iterdir()
    log = read_eval_log(str(path))
    asked = ModelUsage(input_tokens=100, output_tokens=10, total_tokens=110)
    for sample in log.samples or []:
        sample.model_usage["mockllm/tool"] = asked
    log.stats.model_usage["mockllm/tool"] = ModelUsage(
        input_tokens=600, output_tokens=60, total_tokens=660
    )
    write(log, path)
    write(later(log, "again", keeps_answers=False), logs / "again.eval")
    assert ie.import_results(logs, config).logs == 2
    assert run(config).exit_code == 0
    ledger = ie.table(config, "ledger")
    assert ledger[ledger["model"] == "mockllm/tool"]["total_tokens"].sum() == 2 * 660
    assert_reconciled(config)


def test_of_versions_of_one_log_the_scores_of_the_last_count(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    [path] = logs.iterdir()
    log = read_eval_log(str(path))
    for sample in log.samples or []:
        assert sample.scores
        sample.scores["match"] = sample.scores["match"].model_copy(update={"value": "C"})
    # In a folder whose name sorts before that of the first version.
    rescored = write(log, logs / "0" / "rescored.eval")
    found = ie.import_results(logs, config)
    assert (found.solutions, found.logs) == (6, 1)
    run(config)
    assert (ie.table(config, "gradings_long")["score"] == 1.0).all()
    rescored.unlink()
    path.touch()
    found = ie.import_results(logs, config)
    assert found.is_nothing
    assert any("1 log came in before as another version" in note for note in found.notes)


def test_an_eval_that_was_at_work_brings_its_other_answers_later(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    [path] = logs.iterdir()
    log = read_eval_log(str(path))
    samples = log.samples or []
    of_first = sum((one.model_usage["mockllm/model"] for one in samples[:2]), ModelUsage())
    used = log.stats.model_usage["mockllm/model"].total_tokens
    begun = {"status": "started", "samples": samples[:2]}
    begun["stats"] = log.stats.model_copy(update={"model_usage": {"mockllm/model": of_first}})
    write(log.model_copy(update=begun), path)
    found = ie.import_results(logs, config)
    assert found.solutions == 2
    assert any("1 log is of an eval that has not ended" in note for note in found.notes)
    write(log, path)
    found = ie.import_results(logs, config)
    assert (found.solutions, found.logs) == (4, 1)
    assert any("the answers that it did not have come in" in note for note in found.notes)
    assert ie.import_results(logs, config).is_nothing
    assert (run(config).exit_code, len(ie.table(config, "solutions"))) == (0, 6)
    assert ie.table(config, "ledger")["total_tokens"].sum() == used
    assert_reconciled(config)


def other_solver(log: EvalLog) -> dict[str, Any]:
    return {"solver": "inspect_ai/chain"}


def other_limits(log: EvalLog) -> dict[str, Any]:
    return {"config": log.eval.config.model_copy(update={"message_limit": 4})}


def with_roles(log: EvalLog) -> dict[str, Any]:
    return {"model_roles": {"grader": ModelConfig(model="mockllm/other")}}


def other_file(log: EvalLog) -> dict[str, Any]:
    return {"task_file": "elsewhere/others.py"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            other_solver,
            "1 log of capitals with another solver: a condition is of the task as it is",
        ),
        (other_limits, "1 log of capitals with other limits"),
        (with_roles, "1 log of capitals with models in roles"),
        (other_file, "1 log of capitals with a task of this name in another file"),
    ],
)
def test_what_was_not_done_as_the_task_does_stays_out(
    tmp_path: Path, change: Any, words: str
) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    [path] = logs.iterdir()
    log = read_eval_log(str(path))
    write(log.model_copy(update={"eval": log.eval.model_copy(update=change(log))}), path)
    with pytest.raises(StoreError, match=words):
        ie.import_results(logs, config)


def test_all_that_shows_a_study_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.180", "several", tmp_path)
    config = declare(tmp_path, "several")
    ie.import_results(logs, config)
    assert run(config).exit_code == 0
    for words in (["report"], ["show", "Peru"], ["status"], ["view", "--only-write"], ["release"]):
        assert run_cli([words[0], str(config), *words[1:]]) == 0, capsys.readouterr().err


def test_a_judge_that_is_added_calls_only_the_judge(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.180", "capitals", tmp_path)
    ie.import_results(logs, config)
    document = yaml.safe_load(config.read_text())
    document["graders"] = {"one": {"model": "mockllm/judge"}}
    document["facets"] |= {"grader": ["one"], "rubric": ["builtin:standard"]}
    config.write_text(yaml.safe_dump(document))
    summary = run(config)
    assert (summary.exit_code, summary.calls) == (0, 6)
    assert {*ie.table(config, "solutions")["run_id"]} == {
        read_eval_log(str(next(logs.iterdir()))).eval.run_id
    }


def test_one_file_and_a_bucket_are_places_too(
    tmp_path: Path, s3: S3Server, s3_location: str
) -> None:
    config = declare(tmp_path, "several", output_dir=s3_location)
    logs = kept_logs("0.3.285", "several", tmp_path)
    [path] = logs.iterdir()
    source = S3Backend(*split_s3(f"{s3_location}/logs"), s3_client())
    source.write(path.name, path.read_bytes())
    assert ie.import_results(path, config).solutions == 6
    for place in (f"{s3_location}/logs", f"{s3_location}/logs/{path.name}"):
        assert ie.import_results(place, config).is_nothing
    assert run(config).calls == 0
    rows = ie.table(config, "gradings_long")
    assert {*rows["scorer_name"]} == {"includes", "manners.short", "manners.polite"}


def test_the_screen_says_what_came_in_and_what_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    kept_logs("0.3.285", "several", tmp_path)
    assert run_cli(["import", str(logs), str(config)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "6 items, 6 solutions, 0 gradings, 1 log came in" in shown
    assert "1 log of other tasks stays out: the study is of one task." in shown
    assert run_cli(["import", str(logs), str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["solutions"] == 0 and told["left_out"][0]["count"] == 1


def test_the_page_tells_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "importing.md").read_text()
    declared, _ = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    declare(tmp_path)
    (tmp_path / "study.yaml").write_text(declared.replace("openai/gpt-6-luna", "mockllm/model"))
    kept_logs("0.3.285", "capitals", tmp_path)
    monkeypatch.chdir(tmp_path)
    _, lines, *_ = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
    for line in lines.splitlines():
        assert run_cli(shlex.split(line)[1:]) == 0
    assert ie.table("study.yaml", "gradings_long")["score"].tolist().count(1.0) == 4
    assert all(version in page for version in VERSIONS)


def without_logs(folder: Path) -> Path:
    (folder / "logs").mkdir()
    return folder / "logs"


def in_json(folder: Path) -> Path:
    (without_logs(folder) / "a.json").write_text("{}")
    return folder / "logs"


def damaged(folder: Path) -> Path:
    [path] = kept_logs("0.3.285", "capitals", folder).iterdir()
    path.write_bytes(path.read_bytes()[:5_000])
    return folder / "logs"


def of_another_task(folder: Path) -> Path:
    return kept_logs("0.3.285", "several", folder)


def no_task(folder: Path) -> Path:
    (folder / "tasks.py").unlink()
    return kept_logs("0.3.285", "capitals", folder)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda folder: folder / "nowhere", ConfigError, "there is no file or folder"),
        (lambda folder: folder / "tasks.py", ConfigError, "is a file: .*folder of the itemeval"),
        (without_logs, StoreError, "holds no .eval log. Nothing was taken"),
        (in_json, StoreError, "1 JSON file.*inspect log convert"),
        (damaged, StoreError, "cut short, or is no .eval file"),
        (of_another_task, StoreError, "of 1 log none has an answer .*1 log of other tasks"),
        (no_task, ConfigError, "benchmark.task: there is no file .*tasks.py"),
    ],
)
def test_a_source_that_cannot_come_in_is_told(
    tmp_path: Path, make: Any, kind: type[ItemevalAssetsError], words: str
) -> None:
    config = declare(tmp_path)
    with pytest.raises(kind, match=words):
        ie.import_results(make(tmp_path), config)
    assert not (tmp_path / "ours").exists()


def test_a_study_without_a_task_says_what_takes_logs_in(tmp_path: Path) -> None:
    logs = kept_logs("0.3.285", "capitals", tmp_path)
    (tmp_path / "items.jsonl").write_text('{"q": "a?", "a": "b"}\n')
    benchmark = {
        "adapter": "local",
        "datasets": [{"id": "items.jsonl"}],
        "mapping": {"input": "q", "target": "a"},
    }
    config = declare(tmp_path, benchmark=benchmark, facets={"scorer": "exact_match"})
    with pytest.raises(StoreError, match=r"its logs.*adapter: inspect"):
        ie.import_results(logs, config)


# Writes of the import: before it is marked as one that is under way, and after.
FEW, MANY = (3, 9, 19), range(2, 28)


@pytest.mark.parametrize("points", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_an_import_that_is_killed_is_gone_on_with(tmp_path: Path, points: Sequence[int]) -> None:
    config = declare(tmp_path)
    logs = tmp_path / "logs"
    for version in VERSIONS:
        kept_logs(version, "capitals", tmp_path)
    ie.import_results(logs, config)
    names = ("items", "solutions", "ledger")
    whole = {name: ie.table(config, name).to_dict("records") for name in names}
    for last in points:
        shutil.rmtree(tmp_path / "ours")
        process = Program(HERE / "killed.py", logs, config, str(last))
        assert process.wait() in (-signal.SIGKILL, *([0] if last > FEW[-1] else []))
        ie.import_results(logs, config)
        assert _without_times(config, names) == _without(whole)
    assert run(config).calls == 0
    assert_reconciled(config)


def _without_times(config: Path, names: Sequence[str]) -> Any:
    return _without({name: ie.table(config, name).to_dict("records") for name in names})


def _without(tables: dict[str, list[dict[Any, Any]]]) -> Any:
    """Without what is of this machine's clock: when the items were stored."""
    return {
        name: repr([{k: v for k, v in row.items() if k != "created_at"} for row in rows])
        if name == "items"
        else repr(rows)
        for name, rows in tables.items()
    }
