"""Logs of a task whose code is not here make a study: items, answers, scores and their cost."""

import json
import re
import shlex
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from inspect_ai.log import EvalError, EvalLog, read_eval_log
from inspect_ai.model import ModelUsage

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError, DatasetError, ItemevalAssetsError, StoreError
from itemeval_assets.stages.calls.preflight import study_models
from tests.commands import Program
from tests.s3_server import S3Server
from tests.whole.looking import assert_reconciled

from .test_eval_logs import (
    FEW,
    KEPT,
    MANY,
    VERSIONS,
    _without,
    _without_times,
    kept_logs,
    later,
    run,
    scores_of,
    write,
)

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OPTION = "--write-config"


def declare(folder: Path, task: str = "capitals", **more: Any) -> Path:
    """A study of logs of the task, whose code is nowhere."""
    document = {
        "study": "logged",
        "benchmark": {"adapter": "logs", "task": f"tasks.py@{task}"},
        "solvers": {"models": ["mockllm/model"]},
        "facets": {"replications": 1},
        "output_dir": "ours",
        **more,
    }
    config = folder / "study.yaml"
    config.write_text(yaml.safe_dump(document))
    return config


def edit(config: Path, **sections: Any) -> None:
    """Add keys to sections of the YAML."""
    document = yaml.safe_load(config.read_text())
    for name, keys in sections.items():
        document[name] = {**document.get(name, {}), **keys}
    config.write_text(yaml.safe_dump(document))


def log_in(folder: Path) -> EvalLog:
    return read_eval_log(str(next(folder.glob("*.eval"))))


def with_samples(log: EvalLog, changes: dict[str, dict[str, Any]]) -> EvalLog:
    samples = [one.model_copy(update=changes.get(str(one.id), {})) for one in log.samples or []]
    return log.model_copy(update={"samples": samples})


def partial_of_other_model(log: EvalLog) -> EvalLog:
    """A log of another model, with the first three samples, one of which failed."""
    error = EvalError(message="no credit", traceback="", traceback_ansi="")
    failed = with_samples(log, {"Italy": {"error": error, "scores": None}})
    found = later(failed, "other", keeps_answers=False)
    spec, samples = found.eval.model_copy(update={"model": "mockllm/other"}), found.samples or []
    used = {"mockllm/model": sum(_usages(log)[:3], ModelUsage())}
    stats = found.stats.model_copy(update={"model_usage": used})
    return found.model_copy(update={"eval": spec, "samples": samples[:3], "stats": stats})


@pytest.mark.parametrize("version", VERSIONS)
def test_the_items_are_those_that_the_task_would_give(tmp_path: Path, version: str) -> None:
    config, logs = declare(tmp_path, "several"), kept_logs(version, "several", tmp_path)
    shutil.copy(KEPT / "tasks.py", tmp_path)
    would = ie.import_results(logs, config, dry_run=True)
    assert (would.items, would.solutions, would.logs) == (6, 6, 1)
    assert not (tmp_path / "ours").exists()
    ie.import_results(logs, config)
    assert ie.import_results(logs, config).is_nothing
    told = {name: ie.table(config, name) for name in ("items", "solutions")}
    shutil.rmtree(tmp_path / "ours")
    edit(config, benchmark={"adapter": "inspect"})
    ie.import_results(logs, config)
    of_task = {name: ie.table(config, name) for name in told}
    for tables in (told, of_task):
        tables["items"] = tables["items"].drop(columns="created_at")
    for name, table in told.items():
        assert of_task[name].to_dict("records") == table.to_dict("records")


def test_a_judge_grades_what_logs_brought_and_nobody_else_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, logs = declare(tmp_path, "several"), kept_logs("0.3.285", "several", tmp_path)
    log = log_in(logs)
    write(partial_of_other_model(log), logs / "other.eval")
    edit(
        config,
        solvers={"models": ["mockllm/model", "mockllm/other"]},
        facets={"grader": ["mockllm/judge"], "rubric": ["builtin:standard"]},
    )
    found = ie.import_results(logs, config)
    assert (found.items, found.solutions, found.logs, found.left_out) == (6, 9, 2, [])

    # The answers are not asked for, nor are their models looked for.
    foreseen = ie.estimate(config, policy="full-interactive")
    assert (foreseen.remaining.calls, foreseen.grid.calls) == (8, 12)
    assert [*study_models(ie.load_study(config))] == ["mockllm/judge"]
    summary = run(config)
    assert (summary.exit_code, summary.calls) == (0, 8)
    assert summary.missing == 0
    assert [check.check for check in summary.failed_checks] == ["no_errored_rows"]
    [note] = summary.status.notes
    assert "3 solutions are in no log that came in, and 1 solution failed there" in note
    again = run(config)
    assert (again.calls, again.run_ids) == (0, [])
    assert ie.run(config, only="solutions", force=True, policy="full-interactive").calls == 0

    rows = ie.table(config, "gradings_long")
    own = rows[(rows["model"] == "mockllm/model") & rows["scorer_name"].notna()]
    pairs = zip(own["item_id"], own["scorer_name"], strict=True)
    assert dict(zip(pairs, own["score"], strict=True)) == scores_of(log)
    ledger = ie.table(config, "ledger")
    used = ledger[ledger["stage"] == "generate"]["total_tokens"].sum()
    assert used == 81 + sum(one.total_tokens for one in _usages(log)[:3])
    cells = ie.cells(config, states="missing")
    assert {*cells["reason"]} == {
        "in no log that came in; no run makes it without the code of the task"
    }
    assert_reconciled(config)
    edit(config, solvers={"models": ["mockllm/model", "mockllm/other", "mockllm/absent"]})
    absent = next(one for one in ie.scores(config).rows if "absent" in one.condition)
    assert absent.warnings == ("No cell has a score: its answers are in no log that came in.",)
    for words in (["report"], ["show", "Peru"], ["status"], ["view", "--only-write"], ["release"]):
        assert run_cli([words[0], str(config), *words[1:]]) == 0, capsys.readouterr().err


def _usages(log: EvalLog) -> list[Any]:
    return [sample.model_usage["mockllm/model"] for sample in log.samples or []]


def test_once_the_code_is_here_the_study_goes_on_with_it(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    ie.import_results(logs, config)
    shutil.copy(KEPT / "tasks.py", tmp_path)
    edit(config, benchmark={"adapter": "inspect"}, facets={"replications": 2})
    foreseen = ie.estimate(config, policy="full-interactive")
    assert (foreseen.remaining.calls, foreseen.changed) == (6, [])
    assert not any("has changed" in warning for warning in foreseen.warnings)


@pytest.mark.parametrize(
    ("task", "fits"), [("capitals", True), ("moved.py@capitals", False), ("pack/cities", False)]
)
def test_a_name_alone_takes_logs_of_a_task_in_any_file(
    tmp_path: Path, task: str, fits: bool
) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.180", "capitals", tmp_path)
    edit(config, benchmark={"task": task})
    if fits:
        assert ie.import_results(logs, config, dry_run=True).solutions == 6
        return
    with pytest.raises(StoreError, match="1 log of other tasks"):
        ie.import_results(logs, config, dry_run=True)


def test_a_study_whose_code_is_gone_goes_on_without_it(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    edit(config, benchmark={"adapter": "inspect"})
    shutil.copy(KEPT / "tasks.py", tmp_path)
    ie.import_results(logs, config)
    (tmp_path / "tasks.py").unlink()
    with pytest.raises(ConfigError, match="its logs come in with `adapter: logs`"):
        ie.import_results(logs, config)
    edit(config, benchmark={"adapter": "logs"}, facets={"grader": ["mockllm/judge"]})
    assert ie.import_results(logs, config).is_nothing
    foreseen = ie.estimate(config, policy="full-interactive")
    assert [part.remaining.calls for part in (*foreseen.generate, *foreseen.grade)] == [0, 6]


def test_more_logs_bring_more_items_and_scores(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    log = log_in(logs)
    [path] = logs.iterdir()
    few = log.model_copy(update={"samples": (log.samples or [])[:4]})
    write(few, path)
    assert ie.import_results(logs, config).items == 4
    first = ie.table(config, "items")
    shutil.copy(KEPT / "tasks.py", tmp_path)
    edit(config, benchmark={"adapter": "inspect"})
    with pytest.raises(DatasetError, match="2 items are new"):
        ie.estimate(config)
    foreseen = ie.estimate(config, policy="full-interactive", accept_changes=True)
    assert foreseen.remaining.calls == 2
    edit(config, benchmark={"adapter": "logs"})
    write(later(log, "second", keeps_answers=True), logs / "second.eval")
    found = ie.import_results(logs, config)
    assert (found.items, found.solutions) == (2, 2)
    assert ie.table(config, "items")["item_id"].tolist()[:4] == first["item_id"].tolist()
    edit(config, benchmark={"adapter": "inspect"})
    assert ie.estimate(config, policy="full-interactive").remaining.calls == 0


def test_what_a_solver_wrote_into_the_metadata_is_no_part_of_the_item(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    [path] = logs.iterdir()
    log = log_in(logs)
    write(with_samples(log, {"Peru": {"metadata": {"row": 3, "tries": 5}}}), path)
    found = ie.import_results(logs, config)
    assert not any("metadata" in note for note in found.notes)
    rows = ie.table(config, "items").set_index("item_id")
    assert json.loads(str(rows.loc["Peru", "metadata_json"])) == {"row": 3}


def test_what_is_of_another_way_to_run_stays_out_and_is_counted(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    kept_logs("0.3.285", "several", tmp_path)
    log = _capitals(logs)
    changes: dict[str, dict[str, Any]] = {
        "limits": {"config": log.eval.config.model_copy(update={"message_limit": 4})},
        "solver": {"solver": "inspect_ai/chain"},
        "version": {"task_version": 2},
        "arguments": {"task_args": {"n": 3, "hint": ""}, "task_args_passed": {"n": 3}},
        "model": {"model": "mockllm/unknown"},
    }
    for name, change in changes.items():
        other = later(log, name, keeps_answers=False)
        write(
            other.model_copy(update={"eval": other.eval.model_copy(update=change)}),
            logs / f"{name}.eval",
        )
    empty = later(log, "empty", keeps_answers=False)
    write(empty.model_copy(update={"samples": [], "status": "cancelled"}), logs / "empty.eval")
    # Most logs are of this way.
    write(later(log, "second", keeps_answers=False), logs / "second.eval")
    found = ie.import_results(logs, config, dry_run=True)
    assert {(left.count, left.what) for left in found.left_out} == {
        (1, "logs of other tasks"),
        (1, "logs of capitals with other limits"),
        (1, "logs of capitals with another solver"),
        (1, "logs of capitals with another version of the task"),
        (1, "logs of capitals with other arguments"),
        (1, "logs of mockllm/unknown with no settings of its own"),
        (1, "logs without a sample"),
    }
    assert (found.solutions, found.logs) == (6, 2)


def _capitals(logs: Path) -> EvalLog:
    return read_eval_log(str(next(logs.glob("*_capitals_*.eval"))))


def other_target(folder: Path) -> Path:
    logs = kept_logs("0.3.285", "capitals", folder)
    changed = with_samples(log_in(logs), {"Peru": {"target": "Cusco"}})
    write(later(changed, "changed", keeps_answers=False), logs / "changed.eval")
    return logs


def encrypted(folder: Path) -> Path:
    logs = kept_logs("0.3.285", "capitals", folder)
    path = logs / "locked.eval"
    with ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
    data = bytearray(path.read_bytes())
    # The flag of encryption, in both headers of the entry.
    data[data.index(b"PK\3\4") + 6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    return logs


def header_only(folder: Path) -> Path:
    logs = kept_logs("0.3.285", "capitals", folder)
    [path] = logs.iterdir()
    write(log_in(logs).model_copy(update={"samples": None}), path)
    return logs


def without_logs(folder: Path) -> Path:
    (folder / "logs").mkdir()
    return folder / "logs"


def of_another_task(folder: Path) -> Path:
    return kept_logs("0.3.285", "several", folder)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (without_logs, StoreError, "holds no .eval log. Nothing was taken"),
        (of_another_task, StoreError, "of 1 log none has an answer .*1 log of other tasks"),
        (header_only, StoreError, "none has an answer .*1 log without a sample"),
        (encrypted, StoreError, r"locked.eval is not a readable .eval log.*Nothing was taken"),
        (other_target, DatasetError, "'Peru' has the target 'Cusco' in .*changed.eval, and 'Lima'"),
    ],
)
def test_logs_that_cannot_come_in_are_told(
    tmp_path: Path, make: Any, kind: type[ItemevalAssetsError], words: str
) -> None:
    config = declare(tmp_path)
    with pytest.raises(kind, match=words):
        ie.import_results(make(tmp_path), config)
    assert not (tmp_path / "ours").exists()


def test_before_a_log_has_come_in_each_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path)
    for command in ("run", "status", "estimate", "report"):
        assert run_cli([command, str(config)]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "no log of 'tasks.py@capitals' with these arguments has come in yet" in said
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"benchmark": {"task": "tasks.py"}}, "give the name that the task has in its logs"),
        ({"benchmark": {"path": "logs"}}, "the logs are named when they come in"),
        ({"benchmark": {"sample": {"n": 2}}}, "the items are those of the logs"),
        ({"facets": {"prompt": ["builtin:minimal"]}}, r"own prompts \(benchmark.adapter: logs\)"),
    ],
)
def test_a_config_that_cannot_be_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    config = declare(tmp_path)
    edit(config, **changes)
    with pytest.raises(ConfigError, match=words):
        ie.load_study(config)


def test_models_are_asked_at_no_later_time(tmp_path: Path) -> None:
    config, logs = declare(tmp_path), kept_logs("0.3.285", "capitals", tmp_path)
    ie.import_results(logs, config)
    before = config.read_text()
    with pytest.raises(ConfigError, match="waves: nobody can ask the models again"):
        ie.run(config, wave="2026-12")
    assert config.read_text() == before


def test_one_command_makes_a_study_of_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs, config = kept_logs("0.3.285", "capitals", tmp_path), tmp_path / "new.yaml"
    log = log_in(logs)
    [path] = logs.iterdir()
    write(asked_with(log, seed=7), path)
    warm = later(log, "warm", keeps_answers=False)
    write(asked_with(warm, seed=7, temperature=0.5), logs / "warm.eval")
    assert run_cli(["import", str(logs), str(config), "--write-config"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "6 items, 12 solutions, 0 gradings, 2 logs came in" in shown
    assert yaml.safe_load(config.read_text()) == {
        "study": "capitals",
        "benchmark": {"adapter": "logs", "task": "tasks.py@capitals"},
        "solvers": {"models": ["mockllm/model"], "seed": 7},
        "facets": {
            "replications": 1,
            "model_config": [
                {"name": "provider_default"},
                {"name": "temperature-0.5", "temperature": 0.5},
            ],
        },
        "budget": {"policy": "full-interactive"},
    }
    # Another study of the task has a name of its own.
    second = tmp_path / "Again 2.yaml"
    assert run_cli(["import", str(logs), str(second), "--write-config"]) == 0
    assert yaml.safe_load(second.read_text())["study"] == "again_2"
    capsys.readouterr()
    assert run_cli(["import", str(logs), str(config), "--write-config"]) == 2
    assert "is there already: --write-config writes a new file" in _said(capsys)
    other = str(tmp_path / "other.yaml")
    assert run_cli(["import", str(logs), other, "--write-config", "--dry-run"]) == 2
    kept_logs("0.3.285", "several", tmp_path)
    assert run_cli(["import", str(logs), other, "--write-config"]) == 2
    assert "tasks.py@capitals (2 logs); tasks.py@several (1 log). A study is" in _said(capsys)
    assert not Path(other).exists()


def test_logs_without_a_score_want_a_grader(tmp_path: Path) -> None:
    logs, config = kept_logs("0.3.285", "capitals", tmp_path), tmp_path / "new.yaml"
    [path] = logs.iterdir()
    log = log_in(logs)
    write(with_samples(log, {str(one.id): {"scores": None} for one in log.samples or []}), path)
    with pytest.raises(ConfigError, match=r"no sample has a score.*new.yaml was written"):
        ie.import_results(logs, config, write_config=True)
    edit(config, facets={"scorer": "exact_match"})
    assert ie.import_results(logs, config).solutions == 6


def asked_with(log: EvalLog, **settings: Any) -> EvalLog:
    config = log.plan.config.model_copy(update=settings)
    return log.model_copy(update={"plan": log.plan.model_copy(update={"config": config})})


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_the_page_tells_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "importing.md").read_text()
    _, declared = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    document = yaml.safe_load(declared)
    document["facets"]["grader"] = ["mockllm/judge"]
    config = declare(tmp_path, **{**document, "solvers": {"models": ["mockllm/model"]}})
    logs = kept_logs("0.3.112", "capitals", tmp_path)
    found = ie.import_results(logs, config, dry_run=True)
    assert (found.solutions, found.left_out) == (6, [])
    config.unlink()
    monkeypatch.chdir(tmp_path)
    [lines] = (one for one in re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S) if OPTION in one)
    for line in lines.splitlines():
        assert run_cli(shlex.split(line)[1:]) == 0
    assert ie.table("study.yaml", "gradings_long")["score"].tolist().count(1.0) == 4


def test_a_bucket_holds_such_a_study_too(tmp_path: Path, s3: S3Server, s3_location: str) -> None:
    config = declare(tmp_path, "several", output_dir=s3_location)
    logs = kept_logs("0.3.180", "several", tmp_path)
    assert ie.import_results(logs, config).solutions == 6
    assert ie.import_results(logs, config).is_nothing
    found = ie.status(config, policy="full-interactive")
    assert [part.done for part in found.generate] == [6]
    assert len(found.grade) == 3


SHORT = FEW[1:2]


@pytest.mark.parametrize("points", [SHORT, pytest.param(MANY, marks=pytest.mark.long)])
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
    assert_reconciled(config)
