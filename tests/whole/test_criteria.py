"""Rubrics with criteria: a score for each and their total, from one call that is paid once."""

import json
import math
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.core.errors import TemplateError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.measurement import MeasurementError
from tests.commands import Command
from tests.model_answers import error_answer
from tests.model_server import Answer, Behaviour, Request
from tests.studies import write_study

from .conftest import HasRun, Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

ITEMS = 4
TOTAL, CORRECT, CLEAR = "judge · essay", "judge · essay · correct", "judge · essay · clear"
RUBRIC = """\
---
criteria: {correct: [0, 6], clear: [0, 4]}
---
Is it correct, is it clear?

Problem: {input}
Solution: {solution}
"""
JUDGE = {"model": "openai-api/test/judge"}


def declare(folder: Path, **extra: Any) -> Path:
    config = write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["judge"],
        scorer=None,
        items=ITEMS,
        solvers={"max_tokens": 100, "max_retries": 0, "retry_on_error": 0},
        extra={
            "facets": {"rubric": ["essay"]},
            "graders": {"judge": JUDGE},
            "budget": {"pricing_path": write_prices(folder, "m", "judge"), "max_usd": 100},
            "cache": False,
            **extra,
        },
    )
    (folder / "rubrics" / "essay.md").write_text(RUBRIC)
    return config


def declare_two(folder: Path) -> Path:
    """The same with a second judge, which is asked by itself."""
    judges = {"judge": JUDGE, "other": JUDGE}
    return declare(folder, graders=judges, facets={"rubric": ["essay"], "grader": [*judges]})


def number_in(request: Request) -> int:
    """The first summand of the item that a prompt shows."""
    return int(request.prompt.split("What is ")[1].split()[0])


def judging(without: int | None = 3, failing: int | None = None) -> Callable[..., Any]:
    """A judge that is right by the number of the item, of one item without `clear`."""

    def reply(request: Request) -> str | Answer | None:
        if request.model != "judge":
            return "ANSWER: 1"
        n = number_in(request)
        if n == failing:
            return error_answer(400, "not today")
        found = {"correct": {"score": n, "reasoning": f"r{n}"}, "clear": {"score": 1}}
        return json.dumps({"correct": found["correct"]} if n == without else found)

    return reply


def by_label(config: Path, table: str = "gradings") -> dict[str, dict[str, dict[str, Any]]]:
    """{label of the grade condition: {item: its row}}."""
    labels, found = load_study(config).design.labels, dict[str, dict[str, dict[str, Any]]]()
    for row in rows(config, table):
        found.setdefault(labels[row["grade_condition_id"]], {})[row["item_id"]] = row
    return found


def folder_of(config: Path, label: str) -> Path:
    """The file of gradings of a condition."""
    [one] = [one for one in load_study(config).design.grade if one.label == label]
    [path] = (results_dir(config) / "gradings.parquet").rglob(f"*{one.id}*")
    return path


def test_one_call_grades_each_criterion_and_is_booked_once(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=judging())
    config = declare(tmp_path)
    assert api.estimate(config).remaining.calls == 2 * ITEMS
    summary = api.run(config, max_usd=math.inf)
    assert (server.count("judge"), summary.calls, summary.errored) == (ITEMS, 2 * ITEMS, 0)
    sent = next(request.prompt for request in server.requests if request.model == "judge")
    assert sent.startswith("Is it correct") and '"correct": {"score": <number from 0 to 6>' in sent
    found = by_label(config)
    assert {*found} == {TOTAL, CORRECT, CLEAR}
    scores = {
        label: {item: row["score"] for item, row in own.items()} for label, own in found.items()
    }
    assert scores[CORRECT] == {"q1": 1, "q2": 2, "q3": 3, "q4": 4}
    assert scores[CLEAR] == {"q1": 1, "q2": 1, "q3": None, "q4": 1}
    assert scores[TOTAL] == {"q1": 2, "q2": 3, "q3": None, "q4": 5}
    assert found[CLEAR]["q3"]["parse_error"] == "no_score_in_json"
    assert found[TOTAL]["q3"]["parse_error"] == "criterion_without_score"
    for label in (CORRECT, CLEAR):
        for item, row in found[label].items():
            total = found[TOTAL][item]
            for same in ("log_file", "judge_completion", "run_id", "solution_hash", "rubric_hash"):
                assert row[same] == total[same]
            assert row["usd"] == 0.0 and row["sample_uuid"] is row["input_tokens"] is None
            assert total["usd"] > 0 and total["sample_uuid"]
    assert found[CORRECT]["q2"]["reasoning"] == "r2"
    ledger = {(row["stage"], row["condition_id"]): row["calls"] for row in rows(config, "ledger")}
    assert {key: calls for key, calls in ledger.items() if key[0] == "grade"} == {
        ("grade", found[TOTAL]["q1"]["grade_condition_id"]): ITEMS
    }
    assert_reconciled(config)
    assert summary.export.rows == 3 * ITEMS == len(rows(config, "gradings_long"))
    parts = api.status(config).grade
    assert [(part.done, part.unparsed) for part in parts] == [(3, 1), (4, 0), (3, 1)]
    server.reset_counts()
    again = api.run(config)
    assert (server.count(), again.calls, api.estimate(config).remaining.calls) == (0, 0, 0)


def test_figures_are_by_criterion(serve: Serve, has_run: HasRun) -> None:
    serve(reply=judging())
    config = has_run("two", declare_two)
    grade = ie.conditions(config).query("stage == 'grade'").head(3)
    assert grade["criterion"].fillna("").tolist() == ["", "correct", "clear"]
    assert grade["scale"].tolist() == [(0, 10), (0, 6), (0, 4)]
    means = {row.graded_by: row.mean for row in ie.scores(config).rows}
    assert [means[one] for one in (TOTAL, CORRECT, CLEAR)] == [pytest.approx(10 / 3), 2.5, 1.0]
    panels = {row.graded_by: row.mean for row in ie.scores(config, panel=True).rows}
    assert panels == {
        label.replace("judge", "judge + other"): means[label] for label in (TOTAL, CORRECT, CLEAR)
    }
    found = ie.agreement(config)
    assert len(found.judges) == len(found.cards) == 6
    assert {card.usd for card in found.cards if card.judge not in (TOTAL, "other · essay")} == {0.0}
    # Each with the same criterion of the other judge, and with no other.
    together = {one.of for one in found.figures if "judge" in one.of and "other" in one.of}
    assert together == {
        f"{one}, {one.replace('judge', 'other')}" for one in means if "judge" in one
    }
    with pytest.raises(MeasurementError, match="different criteria"):
        ie.compare(config, CORRECT, CLEAR)


def test_one_condition_is_run_with_all_that_its_call_grades(serve: Serve, has_run: HasRun) -> None:
    server = serve(reply=judging())
    config = has_run("two", declare_two)
    before = by_label(config)
    server.reset_counts()
    chosen = {"only": "gradings", "graders": CLEAR, "force": True}
    assert api.estimate(config, **chosen).remaining.calls == ITEMS
    summary = api.run(config, **chosen, max_usd=math.inf)
    assert (server.count(), summary.calls) == (ITEMS, ITEMS)
    after = by_label(config)
    for label in (TOTAL, CORRECT, CLEAR):
        logs = {row["log_file"] for row in after[label].values()}
        assert logs.isdisjoint(row["log_file"] for row in before[label].values())
        assert logs == {row["log_file"] for row in after[TOTAL].values()}
    assert len(rows(config, "replaced")) == ITEMS  # a call that was replaced stands there once
    assert_reconciled(config)
    # Rows of a criterion that are gone are read again, free; so are all, from the log.
    for gone in (folder_of(config, CLEAR), results_dir(config) / "gradings.parquet"):
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        server.reset_counts()
        assert (api.run(config).calls, server.count()) == (0, 0)
        assert by_label(config) == after
    assert_reconciled(config)


def test_a_failed_call_is_an_error_of_each_criterion_until_it_is_made(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(reply=judging(without=None, failing=2))
    config = declare(tmp_path)
    summary = api.run(config, max_usd=math.inf)
    assert (summary.errored, summary.exit_code) == (3, 5)
    assert [part.errored for part in api.status(config).grade] == [1, 1, 1]
    server.reply = judging(without=None)
    server.reset_counts()
    summary = api.run(config, errored=True, max_usd=math.inf)
    assert (server.count("judge"), summary.errored) == (1, 0)
    assert [part.done for part in api.status(config).grade] == [ITEMS] * 3
    assert_reconciled(config)


def test_a_scorer_cannot_settle_criteria(tmp_path: Path) -> None:
    judge = {**JUDGE, "scale": [0, 10], "after": "numeric"}
    config = declare(tmp_path, graders={"judge": judge})
    with pytest.raises(TemplateError, match="numeric cannot settle the criteria"):
        api.estimate(config)


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_pays_nothing_again(tmp_path: Path, serve: Serve, workers: int) -> None:
    server = serve(Behaviour(latency_s=0.15), reply=judging())
    graders = {name: {**JUDGE, "repeats": 2} for name in ("judge", "other")}
    config = declare(
        tmp_path,
        graders=graders,
        facets={"rubric": ["essay"], "grader": [*graders]},
        solvers={"max_connections": 2},
    )
    process = Command("run", config, "--yes", "--workers", str(workers))
    process.wait_until(lambda: server.count("judge") > ITEMS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    summary = api.run(config, max_usd=math.inf, workers=workers)
    assert summary.errored == 0
    key = ("grade_condition_id", "gen_condition_id", "item_id", "epoch")
    found = [tuple(row[name] for name in key) for row in rows(config, "gradings")]
    assert len(found) == len(set(found)) == 12 * ITEMS
    # At most the calls in flight, and what was not yet on the disk of the log, come twice.
    assert server.count("judge") <= 4 * ITEMS + 2 * 4 * workers
    assert_reconciled(config)
    assert api.run(config).calls == 0


@pytest.mark.long
def test_two_workers_and_a_bucket(tmp_path: Path, serve: Serve, s3_location: str) -> None:
    server = serve(Behaviour(latency_s=0.05), reply=judging(without=None))
    graders = dict.fromkeys(("judge", "other", "third"), JUDGE)
    config = declare(
        tmp_path,
        output_dir=s3_location,
        graders=graders,
        facets={"rubric": ["essay"], "grader": [*graders]},
    )
    summary = api.run(config, max_usd=math.inf, workers=2)
    assert (server.count("judge"), summary.errored) == (3 * ITEMS, 0)
    assert [part.done for part in api.status(config).grade] == [ITEMS] * 9
    assert_reconciled(config)
    assert api.run(config, workers=2).calls == 0
