"""The gate and the cap hold over all calls of tasks, however many an agent makes."""

import math
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing
from tests.model_server import Answer, Request
from tests.task_files import (
    AGENT,
    ASKING,
    QUESTIONS,
    STUBBORN,
    agent_reply,
    tool_answer,
    write_task_study,
)

from .conftest import Serve
from .looking import PRICE, assert_reconciled, results_dir, rows, write_prices

MODEL = "openai-api/test/agent"


def agent_study(folder: Path, *, args: dict[str, Any] | None = None, **budget: Any) -> Path:
    return write_task_study(
        folder,
        task="tasks.py@agent",
        text=AGENT,
        args={"count": 6, **(args or {})},
        models=[MODEL],
        extra={
            "solvers": {"max_tokens": 100},
            "budget": {"pricing_path": write_prices(folder, "agent", "dear"), **budget},
        },
    )


def test_the_ceiling_is_asked_for_before_the_first_call(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=agent_reply)
    with pytest.raises(BudgetExceeded):
        api.run(agent_study(tmp_path, max_usd=0.5))
    with pytest.raises(ConsentMissing):
        api.run(agent_study(tmp_path, confirm_above_usd=0.5))
    assert server.requests == []
    found = api.estimate(agent_study(tmp_path))
    assert any("message_limit = 20" in line for line in found.warnings)
    # 20 calls of 100 tokens, which read the question and all that was said before.
    [part] = found.generate
    assert part.grid.output_tokens == 6 * 20 * 100
    assert part.grid.input_tokens > 6 * 190 * 100


def test_what_stored_samples_took_makes_the_ceiling_of_others(tmp_path: Path, serve: Serve) -> None:
    serve(reply=agent_reply)
    before = api.estimate(agent_study(tmp_path)).generate[0].grid
    api.run(agent_study(tmp_path), max_usd=math.inf)
    after = api.estimate(agent_study(tmp_path)).generate[0].grid
    assert after.usd < before.usd / 10
    spent = sum(row["usd"] or 0.0 for row in rows(agent_study(tmp_path), "ledger"))
    assert after.expected_usd == pytest.approx(spent, rel=1e-3)
    assert spent < after.usd


def test_a_task_whose_calls_are_known_needs_no_assumption(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, extra={"solvers": {"max_tokens": 50}})
    [part] = api.estimate(config).generate
    assert (part.grid.calls, part.grid.output_tokens) == (4, 200)
    assert not any("how many calls" in line for line in api.estimate(config).warnings)


def endless(request: Request) -> Answer | str | None:
    """An agent that goes on and on."""
    return tool_answer(request, "add", {"x": len(request.messages), "y": 1})


@pytest.mark.long
def test_an_agent_that_never_ends_is_cut_off_where_the_money_ends(
    tmp_path: Path, serve: Serve
) -> None:
    serve(reply=agent_reply)
    config = agent_study(tmp_path, args={"message_limit": 400})
    # Samples are cheap at first, and so little is set aside for those to come.
    api.run(config, max_usd=math.inf)
    before = sum(row["usd"] or 0.0 for row in rows(config, "ledger"))
    server = serve(reply=endless)
    config.write_text(config.read_text().replace("replications: 1", "replications: 2"))
    foreseen = api.estimate(config).remaining.usd
    summary = api.run(config, max_usd=math.inf)
    assert summary.errored > 0
    errors = {row["error"] for row in rows(config, "solutions") if row["error"]}
    assert errors == {"its calls cost more than the gate allowed for before an answer came"}
    spent = sum(row["usd"] or 0.0 for row in rows(config, "ledger")) - before
    dearest = max(
        request.prompt_tokens * PRICE["input_usd_per_mtok"] / 1e6 for request in server.requests
    )
    assert foreseen - dearest < spent <= foreseen + 7 * (dearest + 0.001)
    assert_reconciled(config)


@pytest.mark.parametrize("connections", [pytest.param(1, marks=pytest.mark.long), 3])
def test_a_run_passes_what_was_allowed_by_the_last_calls_of_the_samples_at_work(
    tmp_path: Path, serve: Serve, connections: int
) -> None:
    serve(reply=lambda request: "enough")
    config = write_task_study(
        tmp_path,
        task="tasks.py@stubborn",
        text=STUBBORN,
        args={"most": 200, "count": 12},
        models=[MODEL],
        extra={
            "solvers": {"max_tokens": 100, "max_connections": connections},
            "budget": {"pricing_path": write_prices(tmp_path, "agent")},
        },
    )
    api.run(config, max_usd=math.inf)
    first = sum(row["usd"] or 0.0 for row in rows(config, "ledger"))
    server = serve(reply=lambda request: "on and on")
    config.write_text(config.read_text().replace("replications: 1", "replications: 2"))
    allowed = api.estimate(config).remaining.usd
    api.run(config, max_usd=math.inf)
    spent = sum(row["usd"] or 0.0 for row in rows(config, "ledger")) - first
    # Steps have more digits later.
    dearest = 1.5 * spent / server.count()
    assert allowed < spent <= allowed + (connections + 1) * dearest
    assert_reconciled(config)


def test_an_agent_that_catches_the_end_of_the_money_has_no_answer(
    tmp_path: Path, serve: Serve
) -> None:
    serve(reply=lambda request: "enough")
    budget = {"pricing_path": write_prices(tmp_path, "agent")}
    config = write_task_study(
        tmp_path,
        task="tasks.py@stubborn",
        text=STUBBORN,
        args={"most": 200},
        models=[MODEL],
        extra={"solvers": {"max_tokens": 100, "max_connections": 2}, "budget": budget},
    )
    api.run(config, max_usd=math.inf)
    serve(reply=lambda request: "on and on")
    config.write_text(config.read_text().replace("replications: 1", "replications: 2"))
    summary = api.run(config, max_usd=math.inf)
    cut_off = [row for row in rows(config, "solutions") if row["error"]]
    assert summary.errored == len(cut_off) > 0
    assert {row["error"] for row in cut_off} == {
        "its calls cost more than the gate allowed for before an answer came"
    }
    assert not any("failed" in (row["solution"] or "") for row in rows(config, "solutions"))
    assert {row["score"] for row in rows(config, "gradings")} == {1.0}
    assert not any("set max_tokens" in note for note in summary.notes)
    assert_reconciled(config)
    serve(reply=lambda request: "enough")
    assert api.run(config, max_usd=math.inf).errored == 0
    assert [row["score"] for row in rows(config, "gradings")] == [1.0] * 16


@pytest.mark.long
@pytest.mark.parametrize("model", [None, "openai-api/test/dear"])
def test_a_scorer_that_catches_the_end_of_the_money_gives_no_score(
    tmp_path: Path, serve: Serve, model: str | None
) -> None:
    serve(reply=lambda request: "enough")
    budget = {"pricing_path": write_prices(tmp_path, "agent", "dear")}
    config = write_task_study(
        tmp_path,
        task="tasks.py@asking",
        text=ASKING,
        args={"model": model},
        models=[MODEL],
        extra={"solvers": {"max_tokens": 100, "max_connections": 2}, "budget": budget},
    )
    api.run(config, max_usd=math.inf)
    serve(reply=lambda request: "on and on")
    config.write_text(config.read_text().replace("replications: 1", "replications: 2"))
    assert api.run(config, max_usd=math.inf).errored > 0
    errors = {row["error"] for row in rows(config, "solutions") if row["error"]}
    assert errors == {"its calls cost more than the gate allowed for before an answer came"}
    assert {row["score"] for row in rows(config, "gradings")} == {1.0}
    assert_reconciled(config)
    serve(reply=lambda request: "enough")
    assert api.run(config, max_usd=math.inf).errored == 0
    assert [row["score"] for row in rows(config, "gradings")] == [1.0] * 16


@pytest.mark.long
def test_prices_of_other_models_are_kept_with_the_log(tmp_path: Path, serve: Serve) -> None:
    serve(reply=agent_reply)
    # inspect_ai keeps a model that a task asks for by name, with the address that it had then.
    judge = "openai-api/test/dear"
    config = agent_study(tmp_path, args={"judge": judge})
    api.run(config, max_usd=math.inf)
    [log] = (results_dir(config) / "logs" / "generate").rglob("*.eval")
    facts = read_eval_log(str(log), header_only=True).eval.metadata or {}
    assert facts["prices_of_others"][judge]["input_usd_per_mtok"] == PRICE["input_usd_per_mtok"]
    before = rows(config, "ledger")
    # Prices that change later, and rows that are made anew from the log, change no dollar.
    prices = tmp_path / "prices.json"
    prices.write_text(prices.read_text().replace("10.0", "99.0"))
    for table in ("solutions", "gradings"):
        for file in (results_dir(config) / f"{table}.parquet").rglob("*.parquet"):
            file.unlink()
    assert api.run(config).calls == 0
    assert [row["usd"] for row in rows(config, "ledger") if row["stage"] == "generate"] == [
        row["usd"] for row in before if row["stage"] == "generate"
    ]
    assert_reconciled(config)


def test_a_forced_run_is_graded_anew_though_the_answers_are_the_same(tmp_path: Path) -> None:
    config = write_task_study(tmp_path, text=QUESTIONS)
    api.run(config)
    before = {row["sample_uuid"] for row in rows(config, "solutions")}
    graded = {row["solution_hash"] for row in rows(config, "gradings")}
    api.run(config, only="solutions", force=True)
    assert before.isdisjoint(row["sample_uuid"] for row in rows(config, "solutions"))
    found = api.status(config)
    assert {part.stale for part in found.grade} == {4}
    assert api.run(config).calls == 0
    assert graded.isdisjoint(row["solution_hash"] for row in rows(config, "gradings"))
    assert {part.done for part in api.status(config).grade} == {4}
    assert_reconciled(config)


def test_who_is_asked_for_consent_to_mock_prices_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_task_study(
        tmp_path, task="tasks.py@agent", text=AGENT, extra={"budget": {"confirm_above_usd": 0}}
    )
    assert run_cli(["run", str(config)]) == 3
    told = capsys.readouterr().err
    assert "needs your consent" in told and "mockllm/a: mock prices; nobody pays these" in told
