"""Rubrics that a model writes for each item: once, paid once, and changed by people."""

import json
import math
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.core.design.cells.item_rubrics import rubric_hash
from itemeval_assets.core.errors import ConfigError, DatasetError, StoreError
from itemeval_assets.engine.study_files import load_study
from tests.commands import Command
from tests.model_answers import error_answer
from tests.model_server import Answer, Behaviour, Request
from tests.studies import write_items, write_study

from .conftest import HasRun, Serve
from .looking import assert_reconciled, results_dir, rows, write_prices
from .test_batch import BATCHED, be_openai

ITEMS = 4
WRITE = "Write a rubric for a grader.\n\nProblem: {input}\nReference: {target}\n"
GRADE = "Grade from 0 to 1 by this rubric.\n\n{rubric}\n\nProblem: {input}\nSolution: {solution}\n"
MATERIALIZE = {"model": "openai-api/test/writer", "template": "write", "max_tokens": 200}


def declare(folder: Path, *, writer: dict[str, Any] | None = None, **extra: Any) -> Path:
    config = write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        scorer=None,
        items=ITEMS,
        replications=2,
        solvers={"max_tokens": 100, "max_retries": 0, "retry_on_error": 0},
        extra={
            "facets": {"rubric": ["tailored"], **extra.pop("facets", {})},
            "rubrics": {
                "tailored": {
                    "materialize": {**MATERIALIZE, **(writer or {})},
                    "grade_template": "by_rubric",
                }
            },
            "budget": {
                "pricing_path": write_prices(folder, "m", "judge", "other", "writer"),
                "max_usd": 100,
            },
            "cache": False,
            **extra,
        },
    )
    (folder / "rubrics" / "write.md").write_text(WRITE)
    (folder / "rubrics" / "by_rubric.md").write_text(GRADE)
    return config


def number_in(request: Request) -> int:
    """The first summand of the item that a prompt shows."""
    return int(request.prompt.split("What is ")[1].split()[0])


def writing(failing: int | None = None, blank: int | None = None) -> Callable[..., Any]:
    """A writer of a rubric per item, and a judge who gives what the rubric says."""

    def reply(request: Request) -> str | Answer | None:
        if request.model == "writer":
            n = number_in(request)
            if n == failing:
                return error_answer(400, "not today")
            return "" if n == blank else f"Points: 0.{n}"
        if request.model in ("judge", "other"):
            points = re.findall(r"Points: ([0-9.]+)", request.prompt)
            return json.dumps({"score": float(points[0]), "reasoning": "as the rubric says"})
        return "ANSWER: 1"

    return reply


def rubrics_of(config: Path) -> dict[str, dict[str, Any]]:
    return {row["item_id"]: row for row in rows(config, "item_rubrics")}


def test_a_rubric_is_written_once_and_graded_by(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=writing())
    config = declare(tmp_path)
    before = api.estimate(config)
    assert [part.remaining.calls for part in before.rubrics] == [ITEMS]
    assert before.remaining.calls == ITEMS + 2 * 2 * ITEMS
    summary = api.run(config, max_usd=math.inf)
    assert (server.count("writer"), server.count("judge")) == (ITEMS, 2 * ITEMS)
    assert (summary.errored, summary.calls) == (0, 5 * ITEMS)
    assert summary.usd <= before.remaining.usd
    found = rubrics_of(config)
    assert {id: row["rubric"] for id, row in found.items()} == {
        f"q{n}": f"Points: 0.{n}" for n in range(1, ITEMS + 1)
    }
    for row in found.values():
        assert row["item_rubric_hash"] == rubric_hash(row["rubric"])
        assert row["usd"] > 0 and row["sample_uuid"] and row["edited"] is False
        assert (results_dir(config) / row["log_file"]).is_file()
    for row in rows(config, "gradings"):
        assert row["score"] == float(f"0.{row['item_id'][1:]}")
        assert row["item_rubric_hash"] == found[row["item_id"]]["item_rubric_hash"]
    stages = [row["stage"] for row in rows(config, "ledger")]
    assert sorted(stages) == ["generate", "grade", "rubric"]
    assert_reconciled(config)
    [status] = api.status(config).rubrics
    assert (status.done, status.cells, status.edited) == (ITEMS, ITEMS, 0)
    server.reset_counts()
    again = api.run(config)
    assert (server.count(), again.calls, api.estimate(config).remaining.calls) == (0, 0, 0)


def test_another_judge_and_more_replications_are_graded_by_the_same_rubrics(
    serve: Serve, has_run: HasRun
) -> None:
    server = serve(reply=writing())
    config = has_run("first", declare)
    found = rubrics_of(config)
    judges = ["openai-api/test/judge", "openai-api/test/other"]
    declare(config.parent, facets={"grader": judges, "replications": 3})
    server.reset_counts()
    api.run(config, max_usd=math.inf)
    calls = {name: server.count(name) for name in ("m", "writer", "judge", "other")}
    assert calls == {"m": ITEMS, "writer": 0, "judge": ITEMS, "other": 3 * ITEMS}
    assert rubrics_of(config) == found
    assert_reconciled(config)


def test_gradings_wait_for_a_rubric_that_failed(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=writing(failing=2, blank=3))
    config = declare(tmp_path)
    summary = api.run(config, max_usd=math.inf)
    assert (summary.errored, summary.exit_code) == (2, 5)
    assert server.count("judge") == 2 * (ITEMS - 2)
    [status] = api.status(config).rubrics
    assert (status.done, status.errored, status.blank) == (ITEMS - 2, 2, 0)
    [graded] = api.status(config).grade
    assert (graded.done, graded.errored, graded.missing) == (4, 4, 0)
    assert graded.without_solution == {"errored": 4}
    cells = api.cells(config, states=["errored", "missing"])
    assert set(cells["stage"]) == {"item_rubrics"}
    assert any("not today" in str(reason) for reason in cells["reason"])
    blank = "the reply is blank (it ended by stop): there is no rubric"
    assert (cells["reason"] == blank).sum() == 2
    assert_reconciled(config)
    assert api.estimate(config).remaining.calls == 2 + 2 * 2
    server.reply = writing()
    server.reset_counts()
    summary = api.run(config, max_usd=math.inf)
    assert (summary.errored, server.count("writer"), server.count("judge")) == (0, 2, 4)
    assert_reconciled(config)


@pytest.mark.long
def test_one_stage_alone(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=writing())
    config = declare(tmp_path)
    api.run(config, only="item_rubrics", max_usd=math.inf)
    assert (server.count("writer"), server.count()) == (ITEMS, ITEMS)
    api.run(config, only="solutions", max_usd=math.inf)
    assert server.count("judge") == 0
    api.run(config, only="gradings", max_usd=math.inf)
    assert (server.count("writer"), server.count("judge")) == (ITEMS, 2 * ITEMS)
    assert_reconciled(config)


def test_a_text_that_a_person_has_changed(serve: Serve, has_run: HasRun, tmp_path: Path) -> None:
    server = serve(reply=writing())
    config = has_run("first", declare)
    [path, workbook, parquet] = [tmp_path / f"rubrics.{end}" for end in ("csv", "xlsx", "parquet")]
    assert api.export_rubrics(config, path).rubrics == ITEMS
    for other in (workbook, parquet):
        api.export_rubrics(config, other)
        assert api.import_rubrics(config, other, by="anna").changed == 0
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[table["item_id"] == "q2", "rubric"] = "Points: 0.9"
    table.to_csv(path, index=False)
    before = {(row["item_id"], row["epoch"]): row for row in rows(config, "gradings")}
    taken = api.import_rubrics(config, path, by="anna")
    assert (taken.changed, taken.known, taken.stale) == (1, ITEMS - 1, 2)
    row = rubrics_of(config)["q2"]
    assert (row["rubric"], row["edited"], row["edited_by"]) == ("Points: 0.9", True, "anna")
    assert_reconciled(config)
    assert api.import_rubrics(config, path, by="bert").changed == 0
    assert rubrics_of(config)["q2"] == row
    server.reset_counts()
    assert api.estimate(config).remaining.calls == 2
    api.run(config, max_usd=math.inf)
    assert (server.count("judge"), server.count()) == (2, 2)
    for key, now in {
        (row["item_id"], row["epoch"]): row for row in rows(config, "gradings")
    }.items():
        assert (now == before[key]) == (key[0] != "q2")
        assert key[0] != "q2" or now["score"] == 0.9
    assert_reconciled(config)
    [status] = api.status(config).rubrics
    assert status.edited == 1
    # A log that is read once more does not bring the text of before back.
    (results_dir(config) / "log_index.parquet" / "rubric").rename(tmp_path / "gone")
    api.recover(config)
    assert rubrics_of(config)["q2"] == row


NOT_TAKEN = [
    ({"item_id": "q99"}, "the item 'q99' has no rubric 'tailored'"),
    ({"item_id": "q2"}, "the item 'q2' stands in row 1, too"),
    ({"rubric": "  "}, "the rubric of 'q1' is empty"),
    ({"rubric": "see {solution}"}, r"has \{solution\}"),
    ({"rubric_name": "other"}, "no model writes a rubric 'other'"),
    ({"rubric": "new", "item_rubric_hash": "0" * 12}, "changed by a run since"),
]


def test_what_cannot_be_taken_in(serve: Serve, has_run: HasRun, tmp_path: Path) -> None:
    serve(reply=writing())
    config, path = has_run("first", declare), tmp_path / "rubrics.parquet"
    api.export_rubrics(config, path)
    written, before = pd.read_parquet(path), rubrics_of(config)
    for change, words in NOT_TAKEN:
        table = written.copy()
        table.loc[0, [*change]] = [*change.values()]
        table.loc[1, "rubric"] = "Points: 0.5"
        table.to_parquet(path)
        with pytest.raises(DatasetError, match=words):
            api.import_rubrics(config, path, by="anna")
        assert rubrics_of(config) == before, words
    with pytest.raises(ConfigError, match="--by"):
        api.import_rubrics(config, path, by=" ")
    with pytest.raises(ConfigError, match="200 characters or fewer"):
        api.import_rubrics(config, path, by="a" * 201)
    written.drop(columns="item_rubric_hash").to_parquet(path)
    with pytest.raises(DatasetError, match="there is no column 'item_rubric_hash'"):
        api.import_rubrics(config, path, by="anna")


def test_people_are_not_given_such_rubrics(tmp_path: Path) -> None:
    rater = {
        "graders": {"anna": {"kind": "human", "scale": [0, 1]}},
        "facets": {"grader": ["anna"]},
    }
    with pytest.raises(ConfigError, match="'anna' is a person"):
        load_study(declare(tmp_path, **rater))
    with pytest.raises(ConfigError, match="sheets have no such rubric"):
        api.ratings_sheet(declare(tmp_path), "anna", tmp_path / "s.csv", scale=(0, 1))


def test_export_before_there_is_anything(tmp_path: Path) -> None:
    config = declare(tmp_path)
    with pytest.raises(StoreError, match="has no rubric yet"):
        api.export_rubrics(config, tmp_path / "r.csv")
    with pytest.raises(DatasetError, match="there is no file"):
        api.import_rubrics(config, tmp_path / "r.csv", by="anna")
    with pytest.raises(ConfigError, match="no model writes rubrics"):
        api.export_rubrics(write_study(tmp_path / "other"), tmp_path / "r.csv")


def test_another_template_or_item_is_written_again(serve: Serve, has_run: HasRun) -> None:
    server = serve(reply=writing())
    config = has_run("first", declare)
    first = load_study(config).design.written[0].id
    server.reset_counts()
    write_items(config.parent / "items.jsonl", ITEMS)
    lines = (config.parent / "items.jsonl").read_text().splitlines()
    lines[0] = lines[0].replace("What is 1 ", "What is 5 ")
    (config.parent / "items.jsonl").write_text("\n".join(lines) + "\n")
    api.run(config, accept_changes=True, max_usd=math.inf)
    assert (server.count("writer"), server.count("m")) == (1, 2)
    assert rubrics_of(config)["q1"]["rubric"] == "Points: 0.5"
    assert_reconciled(config)
    (config.parent / "rubrics" / "write.md").write_text(f"Anew. {WRITE}")
    server.reset_counts()
    assert load_study(config).design.written[0].id != first
    api.run(config, max_usd=math.inf)
    assert (server.count("writer"), server.count("m"), server.count("judge")) == (
        ITEMS,
        0,
        2 * ITEMS,
    )
    assert_reconciled(config)


@pytest.mark.long
def test_a_later_time_is_graded_by_the_same_rubrics(serve: Serve, has_run: HasRun) -> None:
    server = serve(reply=writing())
    config = has_run("first", declare)
    server.reset_counts()
    api.run(config, wave="march", max_usd=math.inf)
    assert {name: server.count(name) for name in ("m", "writer", "judge")} == {
        "m": 2 * ITEMS,
        "writer": 0,
        "judge": 2 * ITEMS,
    }
    assert_reconciled(config)


def test_what_shows_the_rubrics(serve: Serve, has_run: HasRun) -> None:
    serve(reply=writing())
    config = has_run("first", declare)
    assert ie.conditions(config).query("stage == 'rubric'")["rubric_name"].tolist() == ["tailored"]
    assert len(api.table(config, "item_rubrics")) == ITEMS


def killed(tmp_path: Path, serve: Serve, calls: int, workers: int, **extra: Any) -> None:
    """A run that is killed after so many rubrics pays for those in flight once more at most."""
    server = serve(Behaviour(latency_s=0.15), reply=writing())
    config = declare(tmp_path, solvers={"max_connections": 2}, **extra)
    process = Command("run", config, "--yes", "--workers", str(workers))
    process.wait_until(lambda: server.count("writer") >= calls)
    process.send_signal(signal.SIGKILL)
    process.wait()
    summary = api.run(config, max_usd=math.inf, workers=workers)
    assert summary.errored == 0
    assert len(rows(config, "item_rubrics")) == ITEMS
    assert server.count("writer") <= ITEMS + 2 * workers
    assert_reconciled(config)
    assert api.run(config).calls == 0


def test_a_killed_run_pays_nothing_again(tmp_path: Path, serve: Serve) -> None:
    killed(tmp_path, serve, calls=3, workers=1)


@pytest.mark.long
@pytest.mark.parametrize("calls", [1, 2, ITEMS])
@pytest.mark.parametrize("workers", [1, 2])
def test_kills_at_several_points(tmp_path: Path, serve: Serve, calls: int, workers: int) -> None:
    killed(tmp_path, serve, calls, workers)


@pytest.mark.long
def test_rubrics_in_batches(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = be_openai(serve(), monkeypatch)
    config = declare(
        tmp_path,
        writer={"model": BATCHED},
        solvers={"models": [BATCHED]},
        facets={"grader": [BATCHED]},
        budget={"policy": "full-batch", "pricing_path": None},
    )
    api.run(config, max_usd=math.inf)
    assert [request.batch for request in server.requests] == [True] * 5 * ITEMS
    assert len(rubrics_of(config)) == ITEMS
    assert {row["batch"] for row in rows(config, "ledger")} == {True}
    assert_reconciled(config)


@pytest.mark.long
def test_a_kill_in_a_bucket(tmp_path: Path, serve: Serve, s3_location: str) -> None:
    killed(tmp_path, serve, calls=3, workers=2, output_dir=s3_location)
