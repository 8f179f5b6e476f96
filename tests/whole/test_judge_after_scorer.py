"""A judge after a scorer: what the scorer finds wholly right is settled, and calls nobody."""

import math
import signal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.core.errors import BudgetExceeded
from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.views.results import results
from itemeval_assets.storage.study.store import open_store
from tests.commands import Command
from tests.model_server import Behaviour, ModelServer, Request
from tests.studies import write_study

from .conftest import HasRun, Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

ITEMS, RIGHT = 6, 4
JUDGE = {"model": "openai-api/test/judge", "scale": [0, 10], "after": "numeric"}


def declare(folder: Path, judge: dict[str, Any] | None = None, **extra: Any) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["judge"],
        scorer=None,
        items=ITEMS,
        solvers={"max_tokens": 100},
        extra={
            "graders": {"judge": {**JUDGE, **(judge or {})}},
            "budget": {"pricing_path": write_prices(folder, "m", "judge"), "max_usd": 100},
            **extra,
        },
    )


def number_in(request: Request) -> int:
    """The first summand of the item that a prompt shows."""
    return int(request.prompt.split("What is ")[1].split()[0])


def reply(request: Request) -> str:
    """The first four items are answered rightly, the fifth wrongly, the sixth in no number."""
    if request.model == "judge":
        return '{"score": 3, "reasoning": "judged"}'
    n = number_in(request)
    right = eval(request.prompt.split("What is ")[1].split("?")[0])
    return f"ANSWER: {right if n <= RIGHT else 999 if n == RIGHT + 1 else 'none'}"


def settled(config: Path) -> list[dict[str, Any]]:
    return [row for row in rows(config, "gradings") if row["scorer_version"]]


def judged(config: Path) -> list[dict[str, Any]]:
    return [row for row in rows(config, "gradings") if not row["scorer_version"]]


def started(serve: Serve, behaviour: Behaviour | None = None) -> ModelServer:
    return serve(behaviour, reply=reply)


def test_only_what_the_scorer_does_not_settle_is_called(tmp_path: Path, serve: Serve) -> None:
    server = started(serve)
    config = declare(tmp_path)
    assert api.estimate(config).remaining.calls == 2 * ITEMS  # at most, before there are answers
    api.run(config, only="solutions")
    server.reset_counts()
    foreseen = api.estimate(config)
    assert foreseen.remaining.calls == ITEMS - RIGHT
    assert foreseen.grid.calls == 2 * ITEMS
    assert not (results_dir(config) / "gradings.parquet").exists()  # an estimate stores nothing
    summary = api.run(config, max_usd=math.inf)
    assert (summary.calls, server.count("judge")) == (ITEMS - RIGHT, ITEMS - RIGHT)
    for row in settled(config):
        assert (row["score"], row["parse_ok"], row["usd"]) == (10.0, True, 0.0)
        assert (row["scorer_name"], row["grade_kind"]) == ("numeric", "judge")
        assert row["scorer_version"] == SCORERS["numeric"].columns["scorer_version"]
        assert row["log_file"] is row["input_tokens"] is row["judge_completion"] is None
        assert row["solution_hash"] and row["grader_name"] == "judge"
    assert [row["score"] for row in judged(config)] == [3.0] * (ITEMS - RIGHT)
    assert len(settled(config)) == RIGHT
    [part] = api.status(config).grade
    assert (part.done, part.settled, part.missing) == (ITEMS, RIGHT, 0)
    assert api.status(config).unread == []
    told = ie.item_answers(config, ["q1", "q5"])
    assert [answer.settled_by for item in told for answer in item.answers] == ["numeric", None]
    assert any("grades after numeric" in words for words in ie.scores(config).words)
    [card] = ie.agreement(config).cards
    assert (card.replies, card.unparsed) == (ITEMS - RIGHT, 0)
    study = load_study(config)
    found = results(study, open_store(study))
    assert [*found.settled.values()] == [RIGHT]
    # Of a condition all rows have the same design.
    for table in ("gradings", "gradings_long"):
        design = {(row["grader_name"], row["scorer_name"]) for row in rows(config, table)}
        assert design == {("judge", "numeric")}
    ledger = {row["model"]: row["calls"] for row in rows(config, "ledger")}
    assert ledger == {
        "openai-api/test/m": ITEMS,
        "openai-api/test/judge": ITEMS - RIGHT,
        "(verifiable)": RIGHT,
    }
    assert_reconciled(config)
    server.reset_counts()
    again = api.run(config)
    assert (server.count(), again.calls, api.estimate(config).remaining.calls) == (0, 0, 0)


@pytest.mark.long
def test_a_forced_run_settles_anew_and_calls_only_the_others(serve: Serve, has_run: HasRun) -> None:
    server = started(serve)
    config = has_run("graded", declare)
    before = {row["item_id"]: row["run_id"] for row in settled(config)}
    server.reset_counts()
    forced = {"only": "gradings", "force": True}
    assert api.estimate(config, **forced).remaining.calls == ITEMS - RIGHT
    api.run(config, **forced, max_usd=math.inf)
    assert server.count("judge") == ITEMS - RIGHT
    after = {row["item_id"]: row["run_id"] for row in settled(config)}
    assert before.keys() == after.keys() and not {*before.values()} & {*after.values()}
    assert_reconciled(config)


def test_what_was_settled_by_older_rules_is_stale_and_what_was_judged_is_not(
    serve: Serve, has_run: HasRun
) -> None:
    server = started(serve)
    config = has_run("graded", declare)
    [path] = (results_dir(config) / "gradings.parquet").rglob("*.parquet")
    stored = pq.read_table(path)
    place = stored.column_names.index("scorer_version")
    old = [version and "0" for version in stored["scorer_version"].to_pylist()]
    field = stored.schema.field("scorer_version")
    changed = stored.set_column(place, field, pa.array(old, pa.string()).cast(field.type))
    pq.write_table(changed, path)
    [part] = api.status(config).grade
    assert (part.stale, part.done, part.settled) == (RIGHT, ITEMS - RIGHT, 0)
    server.reset_counts()
    api.run(config)
    assert server.count() == 0 and api.status(config).grade[0].settled == RIGHT
    assert_reconciled(config)


@pytest.mark.long
def test_repeats_after_a_scorer(tmp_path: Path, serve: Serve) -> None:
    server = started(serve)
    config = declare(tmp_path, {"repeats": 2})
    api.run(config)
    assert server.count("judge") == 2 * (ITEMS - RIGHT)
    assert len(settled(config)) == 2 * RIGHT
    assert [part.settled for part in api.status(config).grade] == [RIGHT, RIGHT]
    assert_reconciled(config)


@pytest.mark.long
def test_a_row_of_a_judge_that_is_gone_is_seen_beside_settled_ones(
    tmp_path: Path, serve: Serve
) -> None:
    server = started(serve)
    config = declare(tmp_path)
    api.run(config)
    [path] = (results_dir(config) / "gradings.parquet").rglob("*.parquet")
    stored = pq.read_table(path)
    is_settled = stored["scorer_version"].is_valid()
    pq.write_table(stored.filter(is_settled), path)
    assert [log.is_booked for log in api.status(config).unread] == [True]
    server.reset_counts()
    api.run(config)
    # Their cost is kept, and the response cache has their answers.
    assert server.count() == 0 and len(judged(config)) == ITEMS - RIGHT
    assert api.status(config).unread == []
    assert_reconciled(config)


def test_a_scorer_before_a_judge_is_another_condition(tmp_path: Path) -> None:
    config = declare(tmp_path)
    [after] = load_study(config).design.grade
    [alone] = load_study(declare(tmp_path, {"after": None})).design.grade
    [other] = load_study(declare(tmp_path, {"after": "exact_match"})).design.grade
    [wider] = load_study(declare(tmp_path, {"scale": [0, 20]})).design.grade
    [lower] = load_study(declare(tmp_path, {"scale": [-1, 10]})).design.grade
    # Settled answers get the highest score, so another one is another condition.
    assert len({after.id, alone.id, other.id, wider.id}) == 4 and lower.id == after.id
    assert "after" not in alone.payload


@pytest.mark.long
def test_own_code_before_a_judge(tmp_path: Path, serve: Serve) -> None:
    server = started(serve)
    own = {"mine": {"type": "python", "function": "mine.py:score", "scale": [0, 2]}}
    (tmp_path / "mine.py").write_text(
        "def score(solution, target, metadata):\n    return 2 * (target in solution)\n"
    )
    config = declare(tmp_path, {"after": "mine"}, scorers=own)
    study = load_study(config)
    assert [program.where for program in study.design.programs] == ["scorers.mine"]
    before = study.design.grade[0].id
    api.run(config, only="solutions")
    server.reset_counts()
    assert api.estimate(config).remaining.calls == ITEMS  # at most: an estimate runs no such code
    api.run(config, max_usd=math.inf)
    assert server.count("judge") == ITEMS - RIGHT
    assert {row["score"] for row in settled(config)} == {10.0}
    assert_reconciled(config)
    with (tmp_path / "mine.py").open("a") as file:
        file.write("# changed\n")
    assert load_study(config).design.grade[0].id != before


def test_where_nothing_is_left_to_judge(tmp_path: Path, serve: Serve) -> None:
    server = serve(
        reply=lambda request: f"ANSWER: {eval(request.prompt.split('What is ')[1].split('?')[0])}"
    )
    config = declare(tmp_path)
    summary = api.run(config)
    assert (server.count("judge"), summary.calls) == (0, ITEMS)
    assert api.status(config).grade[0].settled == ITEMS
    assert_reconciled(config)


def test_a_refused_run_calls_nobody(tmp_path: Path, serve: Serve) -> None:
    server = started(serve)
    config = declare(tmp_path)
    api.run(config, only="solutions")
    server.reset_counts()
    config = declare(
        tmp_path,
        budget={"pricing_path": write_prices(tmp_path, "m", "judge"), "max_usd": 1e-9},
    )
    with pytest.raises(BudgetExceeded):
        api.run(config)
    assert server.count() == 0
    assert_reconciled(config)


@pytest.mark.long
def test_a_killed_run_goes_on_with_what_is_left(tmp_path: Path, serve: Serve) -> None:
    server = started(serve, Behaviour(latency_s=0.3))
    config = declare(tmp_path, cache=False, solvers={"max_connections": 1})
    process = Command("run", config, "--yes")
    process.wait_until(lambda: server.count("judge") >= 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    api.run(config, max_usd=math.inf)
    assert (len(settled(config)), len(judged(config))) == (RIGHT, ITEMS - RIGHT)
    assert_reconciled(config)
    server.reset_counts()
    assert api.run(config).calls == server.count() == 0
