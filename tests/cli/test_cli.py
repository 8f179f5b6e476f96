"""The command line: exit codes and messages, and that a mistake leaves nothing behind."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.cli.studies import EXIT_DEAD_MODEL
from itemeval_assets.core import errors
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.records.failures import ErrorCount
from itemeval_assets.runs.summary import ending
from itemeval_assets.stages.figures.gates.records import EXIT_CODES
from tests.studies import write_items, write_study

LONG = pytest.mark.long
Mistake = tuple[dict[str, Any], int, list[str]]

MISTAKES: dict[str, Mistake] = {
    "misspelt key": ({"extra": {"facetts": {}}}, 2, ["facetts", "did you mean 'facets'"]),
    "wrong type": (
        {"extra": {"facets": {"replications": "two"}}},
        2,
        ["facets.replications", "write 2 for two"],
    ),
    "missing template": (
        {"extra": {"facets": {"prompt": ["shrt"]}}},
        2,
        ["facets.prompt", "shrt.md"],
    ),
    "unknown packaged template": (
        {"extra": {"facets": {"prompt": ["builtin:nope"]}}},
        2,
        ["builtin:nope", "standard"],
    ),
    "unknown column": (
        {"extra": {"benchmark": {"mapping": {"input": "nope"}}}},
        2,
        ["benchmark.mapping.input", "'nope'", "question"],
    ),
    "unknown grader": ({"graders": ["juge"]}, 2, ["facets.grader", "'juge'"]),
    "grader that is no model id": (
        {"graders": ["x | y/z"]},
        2,
        ["facets.grader", "'x | y/z'", "provider/model"],
    ),
    "unknown provider": (
        {"models": ["nope/x"]},
        2,
        ["solvers.models", "nope/x", "knows no provider 'nope'; "],
    ),
    "missing package": (
        {"models": ["groq/x"]},
        2,
        ["groq/x", "install groq with: ", sys.executable],
    ),
    "no key": ({"models": ["openai/x"]}, 2, ["openai/x", "OPENAI_API_KEY"]),
    "no key for the judge": (
        {"graders": ["openai/x"]},
        2,
        ["facets.grader: openai/x: ", "OPENAI_API_KEY"],
    ),
    "missing data": (
        {"extra": {"benchmark": {"datasets": [{"id": "gone.jsonl"}]}}},
        2,
        ["gone.jsonl", "relative to the config"],
    ),
    "negative cap": ({"extra": {"budget": {"max_usd": -1}}}, 2, ["budget.max_usd", "-1"]),
    "unreadable price file": (
        {"extra": {"budget": {"pricing_path": "gone.json"}}},
        2,
        ["budget.pricing_path", "gone.json"],
    ),
    "no consent": (
        {"extra": {"budget": {"confirm_above_usd": 0}}},
        3,
        ["--yes", "None of these calls was made"],
    ),
    "over the cap": (
        {"extra": {"budget": {"max_usd": 1e-6}}},
        4,
        ["max_usd", "None of these calls was made"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_short_message_and_an_exit_code(name, tmp_path, capsys):
    changes, exit_code, says = MISTAKES[name]
    config = write_study(tmp_path, **changes)
    assert run_cli(["run", str(config)]) == exit_code
    message = capsys.readouterr().err
    assert message.startswith("error: ") and "Traceback" not in message
    assert 1 <= len(message.strip().splitlines()) <= 4
    for text in says:
        assert text in message
    results = tmp_path / "studies" / "toy"
    assert not list(results.glob("*.parquet/*")) and not list(results.glob("logs/**/*.eval"))


@pytest.mark.parametrize("command", ["run", "preflight"])
def test_max_usd_is_a_ceiling_also_with_yes(command, tmp_path, capsys, monkeypatch):
    config = str(write_study(tmp_path, items=1))
    monkeypatch.setattr("itemeval_assets.report.ask_consent", lambda refusal: pytest.fail("asked"))
    assert run_cli([command, config, "--yes", "--max-usd", "0.0000001"]) == 3
    assert "allowed without asking: $0.0000001" in capsys.readouterr().err
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "config"),
        (["run", "study.yaml", "--forse"], "--force"),
        (["run", "study.yaml", "--only", "items"], "solutions"),
        (["status", "nowhere.yaml"], "there is no config file"),
        (["ui", "nowhere.yaml"], "there is no config file"),
        (
            ["status", "study.yaml", "--policy", "all"],
            "'dev', 'full-interactive', 'full-batch'; see itemeval-assets status --help",
        ),
        (["run", "study.yaml", "--workers", "0"], "than or equal to 1; see "),
    ],
)
def test_wrong_arguments(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_cli(arguments) == 2
    assert says in capsys.readouterr().err


def test_filters_that_match_nothing_name_what_there_is(tmp_path, capsys):
    config = str(write_study(tmp_path))
    assert run_cli(["run", config, "--condition", "nope"]) == 2
    assert "a_short_default--" in capsys.readouterr().err
    assert run_cli(["run", config, "--grader", "nope"]) == 2
    assert "numeric, mockllm/judge" in capsys.readouterr().err


FILTERS = {
    "--condition": ("a · short", "a · short  (a_short_default--"),
    "--grader": ("judge · strict", "numeric, mockllm/judge"),
    "--rubric": ("strict", "there are: strict"),
}


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *(("run", option) for option in FILTERS),
        *((command, option) for command in ("estimate", "reset", "cells") for option in FILTERS),
    ],
)
def test_each_word_of_a_filter_selects_something_or_is_an_error(command, option, tmp_path, capsys):
    good, says = FILTERS[option]
    config = str(write_study(tmp_path))
    for word in ("", "nope"):
        assert run_cli([command, config, option, good, option, word]) == 2
        message = capsys.readouterr().err
        assert repr(word) in message and says in message
    assert not (tmp_path / "studies" / "toy").exists()
    if command != "run":
        assert run_cli([command, config, option, good]) == 0


def test_a_run_without_any_score_ends_with_what_the_scores_leave_out(tmp_path, capsys):
    own = {"scorers": {"found": {"type": "regex", "pattern": "nowhere"}}}
    config = str(write_study(tmp_path, items=2, graders=[], scorer="found", extra=own))
    assert run_cli(["run", config]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "scores by found" in told and "left out 2 unparsed" in told
    assert "No cell has a score." in told and f"See why: itemeval-assets cells {config}" in told


def test_filters_choose_conditions(tmp_path, capsys):
    config = str(write_study(tmp_path, models=("mockllm/a", "mockllm/b", "mockllm/c"), items=2))
    arguments = ["run", config, "--condition", "a · short", "--condition", "mockllm/c"]
    assert run_cli([*arguments, "--grader", "numeric", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)["status"]
    assert [part["done"] for part in status["generate"]] == [2, 0, 2]
    assert [part["done"] for part in status["grade"]] == [2, 0, 0, 0, 2, 0]


def test_run_status_export(tmp_path, capsys):
    config = str(write_study(tmp_path, items=2))
    assert run_cli(["run", config]) == 0
    assert "4 calls" in capsys.readouterr().out
    assert run_cli(["run", config, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["calls"] == 0 and again["status"]["grade"][0]["done"] == 2
    assert run_cli(["status", config]) == 0
    shown = capsys.readouterr().out
    assert "solutions" in shown and "numeric" in shown
    Path(tmp_path / "studies/toy/export/gradings_long.csv").unlink()
    assert run_cli(["export", config, "--json"]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert exported["rows"] == 4
    assert all(Path(path).exists() for path in exported["paths"].values())


def test_the_end_of_a_run_is_judged_by_its_own_policy(tmp_path, capsys):
    config = str(write_study(tmp_path, items=3))
    assert run_cli(["run", config, "--policy", "dev", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["failed_checks"], done["status"]["generate"][0]["done"]) == ([], 2)
    assert run_cli(["run", config, "--only", "solutions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failed_checks"] == []


def test_corrupt_table_is_named_and_rebuilt_from_the_logs_once_deleted(tmp_path, capsys):
    config = str(write_study(tmp_path, items=2, graders=()))
    assert run_cli(["run", config]) == 0
    (file,) = (tmp_path / "studies/toy/solutions.parquet").glob("*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    assert run_cli(["run", config]) == 2
    assert str(file) in capsys.readouterr().err
    file.unlink()
    assert run_cli(["run", config, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["calls"], again["recovered"]) == (0, 2)
    assert again["status"]["generate"][0]["done"] == 2


@pytest.mark.long
def test_calls_that_a_table_tells_of_are_not_recovered(tmp_path, capsys):
    """A log is read again when a table file is gone; what was replaced before is known."""
    config = str(write_study(tmp_path, items=2, graders=()))
    for options in ([], ["--force"]):
        assert run_cli(["run", config, *options]) == 0
    (file,) = (tmp_path / "studies/toy/solutions.parquet").glob("*.parquet")
    file.unlink()
    capsys.readouterr()
    assert run_cli(["run", config, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["calls"], again["recovered"]) == (0, 2)
    assert again["status"]["generate"][0]["done"] == 2


def test_study_directory_of_another_config_is_refused(tmp_path, capsys):
    config = write_study(tmp_path, items=1, graders=())
    assert run_cli(["run", str(config)]) == 0
    copy = config.with_name("copy.yaml")
    copy.write_text(config.read_text())
    capsys.readouterr()
    assert run_cli(["run", str(copy)]) == 2
    assert "made by another config" in capsys.readouterr().err


NOTHING_YET = {
    "export": (["export"], "nothing to export"),
    "recover": (["recover"], "has no results yet, and so no log to recover from."),
    "errored": (["run", "--errored"], "has no results yet, and so no errored cell."),
    "gradings": (["run", "--only", "gradings"], "nothing to grade"),
    "gradings of workers": (["run", "--only", "gradings", "--workers", "2"], "nothing to grade"),
    "release": (["release"], "run it, then release it"),
}


@pytest.mark.parametrize("name", NOTHING_YET)
def test_before_any_run_a_command_says_what_to_do(name, tmp_path, capsys):
    (command, *options), says = NOTHING_YET[name]
    config = str(write_study(tmp_path, items=1))
    assert run_cli([command, config, *options, "--json"]) == 2
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert says in document["message"] and printed.err == f"error: {document['message']}\n"
    assert (document["error"], document["exit_code"]) == ("StoreError", 2)
    assert not (tmp_path / "studies").exists()
    for harmless in (["status"], ["estimate"], ["reset"]):
        assert run_cli([*harmless, config]) == 0
    assert not (tmp_path / "studies").exists()


def test_a_preflight_is_no_result(tmp_path, capsys):
    config = str(write_study(tmp_path, items=1))
    assert run_cli(["preflight", config]) == 0
    for (command, *options), says in NOTHING_YET.values():
        assert run_cli([command, config, *options]) == 2, command
        assert says in capsys.readouterr().err
    assert not (tmp_path / "studies/toy/export").exists()
    assert run_cli(["run", config, "--json"]) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "facts"),
    [
        (["run", "--max-usd", "0"], "ConsentMissing", {"exit_code": 3, "allowed_usd": 0.0}),
        (["run", "--forse"], "NoSuchOption", {"exit_code": 2}),
        (["status", "--policy", "all"], "BadParameter", {"exit_code": 2}),
    ],
)
def test_with_json_a_failure_is_one_document(arguments, error, facts, tmp_path, capsys):
    config = str(write_study(tmp_path, items=1))
    code = run_cli([arguments[0], config, *arguments[1:], "--json"])
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["error"] == error and document["exit_code"] == code
    assert document.items() >= facts.items()
    assert document["message"] and document["message"] in printed.err


def test_enums_of_a_caller_become_plain_words(tmp_path):
    class Word(StrEnum):
        gradings, dev = "gradings", "dev"

    config = write_study(tmp_path, items=3, graders=())
    api.run(config, policy=Word.dev, max_usd=Decimal("1"))  # type: ignore[arg-type]
    assert api.run(config, only=Word.gradings, policy=Word.dev, force=True).status.policy == "dev"
    with pytest.raises(ConfigError, match="no policy 'gradings'; there are: dev"):
        api.run(config, policy=Word.gradings)
    with pytest.raises(ConfigError, match="no policy ''"):
        api.status(config, policy="")
    with pytest.raises(ConfigError, match="max_usd: 'much' is no amount of USD"):
        api.preflight(config, max_usd="much")  # type: ignore[arg-type]


def test_a_refused_first_run_owns_neither_the_folder_nor_the_data(tmp_path, capsys):
    config = write_study(tmp_path, items=1, graders=(), models=("mockllm/a", "openai/dead"))
    assert run_cli(["run", str(config)]) == 2  # a dead model
    dear = config.with_name("dear.yaml")
    text = config.read_text().replace("  - openai/dead\n", "")
    dear.write_text(f"{text}  confirm_above_usd: 0\n")
    assert run_cli(["run", str(dear)]) == 3  # the gate
    assert not (tmp_path / "studies/toy/study.json").exists()
    write_items(tmp_path / "items.jsonl", 2)
    good = config.with_name("good.yaml")
    good.write_text(text)
    capsys.readouterr()
    assert run_cli(["run", str(good), "--json"]) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out)["status"]["generate"][0]["done"] == 2
    assert run_cli(["status", str(dear)]) == 2
    assert "made by another config" in capsys.readouterr().err


def test_every_exit_code_is_documented():
    text = (Path(__file__).parents[2] / "docs/commands.md").read_text(encoding="utf-8")
    table = text.partition("## Exit codes")[2].partition("\n\nA failure")[0]
    documented = {int(line.split("|")[1]) for line in table.splitlines() if line[2:3].isdigit()}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    raised = {kind.exit_code for kind in kinds if issubclass(kind, errors.ItemevalAssetsError)}
    ended = {ending(held_back, errored, [])[0] for held_back in (0, 1) for errored in (0, 1)}
    assert documented == raised | ended | {EXIT_DEAD_MODEL, *EXIT_CODES.values()}


def test_what_was_held_back_and_what_errored_is_said():
    assert ending(0, 0, []) == (0, None)
    assert ending(0, 2, [ErrorCount("timed out", 2)])[1] == (
        "2 cells errored; run again to repeat only those:\n  2 x timed out"
    )
    code, reason = ending(3, 1, [ErrorCount("refused", 1)])
    assert code == 3 and reason is not None
    assert reason.startswith("3 calls were held back: answers without max_tokens cost more")
    assert "1 x refused" in reason


@pytest.mark.parametrize("as_json", [False, True])
def test_a_current_folder_that_is_gone_is_told(as_json, tmp_path, monkeypatch, capsys):
    config = write_study(tmp_path / "study", items=1)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    assert run_cli(["status", str(config), *["--json"][: int(as_json)]]) == 2
    shown = capsys.readouterr()
    assert "the current folder is gone" in shown.err
    if as_json:
        assert json.loads(shown.out)["exit_code"] == 2


@pytest.mark.parametrize(
    ("bucket", "is_bare"), [("lab", True), ("s3://lab", False), ("./lab", False)]
)
def test_a_bucket_that_cannot_be_read_may_be_meant_as_a_folder(
    bucket, is_bare, monkeypatch, capsys
):
    def refuse(storage):
        raise StoreError("cannot list it")

    monkeypatch.setattr("itemeval_assets.experiments.summarize_experiments", refuse)
    assert run_cli(["experiments", "list", "--bucket", bucket]) == 2
    advice = "; for a folder write ./lab" if is_bare else ""
    assert capsys.readouterr().err == f"error: cannot list it{advice}\n"


@pytest.mark.parametrize("buffered", [False, pytest.param(True, marks=LONG)])
@pytest.mark.parametrize(
    "asked", ["--version", *(pytest.param(one, marks=LONG) for one in ("--help", "schema"))]
)
def test_a_reader_that_has_closed_is_no_traceback(asked: str, buffered: bool) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "from itemeval_assets.cli.entry import main; main()"
    command = [sys.executable, *["-u"][buffered:], "-c", code, asked]
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")
