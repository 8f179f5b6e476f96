"""Providers that fail and models that misbehave: data in the rows, never the end of a run."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.model_server import (
    MALFORMED,
    Answer,
    Behaviour,
    ModelServer,
    Request,
    json_answer,
)
from tests.studies import write_study

from .conftest import Serve
from .looking import Row, assert_reconciled, mirrored_long_table, results_dir, rows, write_prices

pytestmark = pytest.mark.shown

IMPATIENT = {"max_retries": 0}
PATIENT = {"max_retries": 2}
FLAKY = Behaviour(seed=5, permanent=0.1, transient=0.2, prose=0.2)


def declare(folder: Path, items: int, **changes: object) -> Path:
    given = {
        "models": ["openai-api/test/m"],
        "graders": ["openai-api/test/judge"],
        "scorer": None,
        "items": items,
        "solvers": IMPATIENT,
        "extra": {
            "cache": False,
            "budget": {"pricing_path": write_prices(folder, "m", "dead", "judge")},
        },
    }
    return write_study(folder, **{**given, **changes})  # type: ignore[arg-type]


def test_failed_cells_are_rows_and_the_next_run_calls_just_those(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(FLAKY)
    config = declare(tmp_path, items=20, solvers=PATIENT)
    assert run_cli(["run", str(config)]) == 5
    solvers, judges = _failing(server, "m"), _failing(server, "judge")
    assert solvers
    assert judges
    solutions, gradings = rows(config, "solutions"), rows(config, "gradings")
    _assert_errored(solutions, solvers)
    _assert_errored(gradings, judges)
    assert len(solutions) == 20
    assert len(gradings) == 20 - solvers
    unread = [row for row in gradings if row["parse_error"]]
    assert {row["parse_error"] for row in unread} == {"no_json_object"}
    assert all(not row["parse_ok"] and row["score"] is None for row in unread)

    shown = capsys.readouterr().out
    assert f"{solvers + judges} cells errored; run again" in shown
    assert "Checks that failed: " in shown and "no_errored_rows of solutions: m · short" in shown

    server.reset_counts()
    assert run_cli(["run", str(config), "--json"]) == 5
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert (document["exit_code"], document["errored"]) == (5, solvers + judges)
    assert sum(found["cells"] for found in document["errors"]) == solvers + judges
    assert document["reason"] in printed.err
    for found in document["errors"]:
        assert "Error code: 4" in found["error"] and found["error"] in document["reason"]
    assert (server.count("m"), server.count("judge")) == (solvers, judges)
    assert_reconciled(config)

    server.reset_counts()
    server.behaviour = Behaviour()
    assert run_cli(["run", str(config)]) == 0
    assert (server.count("m"), server.count("judge")) == (solvers, judges + solvers)
    assert [row for row in rows(config, "gradings") if row["parse_error"]] == unread
    assert_reconciled(config)


@pytest.mark.long
def test_a_dead_model_leaves_the_others_alone(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(models={"dead": Behaviour(permanent=1.0, permanent_status=401)})
    models = ["openai-api/test/dead", "openai-api/test/m"]
    config = declare(tmp_path, items=3, models=models)
    summary = api.run(config)
    dead, good = summary.status.generate
    assert (dead.errored, good.done) == (3, 3)
    assert summary.status.grade[1].done == server.count("judge") == 3
    assert (summary.exit_code, summary.errored) == (5, 3) and "401" in summary.errors[0].error
    # Errors of solutions are no errors of what is asked for here.
    capsys.readouterr()
    assert run_cli(["run", str(config), "--only", "gradings"]) == 0
    # They are said, since no grading came of them.
    shown = capsys.readouterr().out
    assert "3 of the cells of this run have no result" in shown
    assert f"cells {config}; call them: " in shown and "CONFIG" not in shown
    assert run_cli(["run", str(config), "--condition", "openai-api/test/m"]) == 0
    for row in rows(config, "solutions"):
        is_dead = row["model"].endswith("dead")
        assert ("401" in (row["error"] or "")) == is_dead
        assert (row["solution"] is None) == is_dead
    assert_reconciled(config)


def completion(*choices: dict[str, object], tokens: int = 9) -> Answer:
    """A reply with these choices, each a message, and this count of completion tokens."""
    usage = {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens}
    listed = [{"index": 0, "message": choice, "finish_reason": "stop"} for choice in choices]
    reply = {"id": "x", "object": "chat.completion", "model": "m", "created": 0}
    return json_answer(200, {**reply, "choices": listed, "usage": usage})


TOOL_CALL = {"id": "1", "type": "function", "function": {"name": "search", "arguments": "{"}}
NASTY: dict[str, str | Answer] = {
    "q1": 'Lone \ud800 and \udfff. ```json\n{"score": 1, "reasoning": "\\ud800 x"}\n```',
    "q2": f'{{"score": {"9" * 5000}, "reasoning": "many digits"}} ANSWER: {"9" * 5000}',
    "q3": '{"score": 1e999, "reasoning": "inf"} ANSWER: 1e999',
    "q4": "[" * 50_000 + '{"a":' * 50_000,
    "q5": "x" * 1_000_000 + ' {"score": 0.5, "reasoning": "long"}',
    "q6": 'NUL \x00 and \x1b[31m \x85 \u2028 \r, "quoted" {"score": 1, "why": "\x00"}',
    "q7": "",
    "q8": completion(),
    "q9": completion({"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}),
    "q10": completion({"role": "assistant", "content": '{"score": 1}'}, tokens=2**70),
    "q11": Answer(200, MALFORMED["text"][1]),
    "q12": Answer(200, MALFORMED["truncated"][1]),
    "q13": Answer(200, MALFORMED["html"][1], "text/html"),
    "q14": Answer(200, b'{"id": "x", "object": "chat.completion", "choices": []}'),
    "q15": Answer(200, b"null"),
}
BLANK = {"q7", "q8", "q9"}
BROKEN = {"q11", "q12", "q13", "q14", "q15"}


def nasty(
    victim: str, contents: Mapping[str, str | Answer] = NASTY
) -> Callable[[Request], str | Answer | None]:
    """Replies of one model that depend on the item; all others answer as usual."""

    def reply(request: Request) -> str | Answer | None:
        if request.model != victim:
            return None
        for item, content in contents.items():
            number = item.removeprefix("q")
            if f"What is {number} + {number}?" in request.prompt:
                return content
        return None

    return reply


def test_nasty_solutions_harm_no_other_row(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=nasty("m"))
    config = declare(tmp_path, items=len(NASTY) + 1, scorer="numeric")
    api.run(config, max_usd=math.inf)
    solutions = {row["item_id"]: row for row in rows(config, "solutions")}
    assert len(solutions) == server.count("m") == len(NASTY) + 1
    assert {item for item, row in solutions.items() if row["error"]} == BROKEN
    unanswered = {item for item, row in solutions.items() if row["solution"] is None}
    assert unanswered == BROKEN | BLANK
    assert solutions["q1"]["solution"].startswith("Lone ")
    assert solutions["q4"]["solution"].startswith("[" * 50_000)
    assert len(solutions["q5"]["solution"]) > 1_000_000
    assert "\x1b[31m \x85 \u2028 \r, " in solutions["q6"]["solution"]
    scored = {row["item_id"] for row in rows(config, "gradings") if row["grade_kind"] == "judge"}
    assert scored == solutions.keys() - unanswered
    _assert_sound(config)


def test_an_error_is_one_line_and_names_no_folder_of_this_machine(
    tmp_path: Path, serve: Serve
) -> None:
    odd = {
        "q1": Answer(400, b'{"error": {"message": "half a character: \\ud800"}}'),
        "q2": json_answer(200, json.loads(completion().body) | {"extra\ud800": "\udfff"}),
        "q3": Answer(400, b'{"error": {"message": "two\\nlines"}}'),
    }
    serve(reply=nasty("m", odd))
    config = declare(tmp_path, items=3)
    api.run(config, max_usd=math.inf, only="solutions")
    errors = {row["item_id"]: row["error"] for row in rows(config, "solutions")}
    assert errors["q2"].endswith("the reply holds a lone surrogate, which is no character")
    assert errors["q3"].endswith("Error code: 400 - two")
    for error in errors.values():
        assert "\n" not in error and "Traceback" not in error and "site-packages" not in error


@pytest.mark.long
def test_nasty_verdicts_harm_no_other_row(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=nasty("judge"))
    config = declare(tmp_path, items=len(NASTY) + 1)
    api.run(config)
    gradings = {row["item_id"]: row for row in rows(config, "gradings")}
    assert len(gradings) == server.count("judge") == len(NASTY) + 1
    assert {item for item, row in gradings.items() if row["error"]} == BROKEN
    codes = {item: row["parse_error"] for item, row in gradings.items() if not row["error"]}
    assert codes == {
        "q1": None,
        "q2": "score_not_finite",
        "q3": "score_not_finite",
        "q4": "no_json_object",
        "q5": None,
        "q6": None,
        "q7": "no_json_object",
        "q8": "no_json_object",
        "q9": "no_json_object",
        "q10": None,
        "q16": None,
    }
    assert (gradings["q1"]["score"], gradings["q5"]["score"]) == (1.0, 0.5)
    _assert_sound(config)


def _failing(server: ModelServer, model: str) -> int:
    """How many prompts of a model met an error that stays."""
    return len({r.prompt for r in server.requests if r.model == model and r.status == 400})


def _assert_errored(found: list[Row], count: int) -> None:
    errored = [row for row in found if row["error"] is not None]
    assert len(errored) == count
    for row in errored:
        assert "refused by the test server" in row["error"]
        assert row["usd"] == 0.0
        assert row.get("stop_reason") is None
        assert row.get("score") is None
        assert row.get("parse_ok", False) is False
        assert row.get("parse_error") is None


def _assert_sound(config: Path) -> None:
    """The ledger reconciles, and the export holds every row, in Parquet and CSV alike."""
    assert_reconciled(config)
    assert len(mirrored_long_table(results_dir(config))) == len(rows(config, "gradings"))


@pytest.mark.long
def test_errored_leaves_partitions_without_errors_alone(tmp_path: Path, serve: Serve) -> None:
    server = serve(models={"n": Behaviour(permanent=1.0)})
    config = write_study(
        tmp_path,
        models=["openai-api/test/m", "openai-api/test/n"],
        graders=[],
        items=2,
        extra={"cache": False},
    )
    api.run(config)
    (tmp_path / "items.jsonl").touch()
    server.models = {}
    server.reset_counts()
    config = write_study(
        tmp_path,
        models=["openai-api/test/m", "openai-api/test/n"],
        graders=[],
        items=2,
        replications=2,
        extra={"cache": False},
    )
    api.run(config, errored=True)
    # All that n lacks, its second replication too, and nothing of m.
    assert {request.model for request in server.requests} == {"n"}
    assert server.count() == 4


def test_only_the_keys_of_what_is_called_are_needed(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Solvers that are not called need no key, also where they have calls left; judges do."""
    server = serve()
    monkeypatch.setenv("JUDGE_BASE_URL", server.base_url)
    monkeypatch.setenv("JUDGE_API_KEY", "sk-of-the-judge")
    judge = "openai-api/judge/judge"
    config = declare(
        tmp_path, items=3, models=["openai-api/test/m", "openai-api/test/n"], graders=[judge]
    )
    solve = ["run", str(config), "--only", "solutions", "--condition", "openai-api/test/m"]
    grade = ["run", str(config), "--only", "gradings", "--yes"]
    assert run_cli([*solve, "--yes"]) == 0
    monkeypatch.delenv("TEST_API_KEY")
    for options in ([], ["--force"]):
        server.reset_counts()
        assert run_cli([*grade, *options]) == 0
        assert (server.count("judge"), server.count()) == (3, 3)
    assert run_cli(["run", str(config), "--yes"]) == 2
    assert "environment variable test_api_key" in capsys.readouterr().err.lower()
    monkeypatch.delenv("JUDGE_API_KEY")
    assert run_cli([*grade, "--force"]) == 2
    assert "environment variable judge_api_key" in capsys.readouterr().err.lower()
    assert server.count() == 3
    assert_reconciled(config)
