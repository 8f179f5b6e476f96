"""Judges that grade each answer several times: a condition for each time, and a call."""

import math
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.engine.study_files import load_study
from tests.commands import Command
from tests.model_server import Behaviour, Request
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

ITEMS = 4
FIRST, SECOND, THIRD = "judge · strict", "judge · strict · repeat 2", "judge · strict · repeat 3"
JUDGE = {"model": "openai-api/test/judge", "temperature": 0.7, "scale": [0, 1]}


def declare(
    folder: Path,
    *,
    repeats: int = 3,
    other: Mapping[str, Any] | None = None,
    location: str = "studies",
    **extra: Any,
) -> Path:
    more = {"other": other} if other else {}
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["judge", *more],
        scorer=None,
        items=ITEMS,
        solvers={"max_tokens": 100},
        extra={
            "output_dir": location,
            "graders": {"judge": {**JUDGE, "repeats": repeats}, **more},
            "budget": {"pricing_path": write_prices(folder, "m", "judge"), "max_usd": 100},
            **extra,
        },
    )


def moody() -> Callable[[Request], str | None]:
    """A judge that scores the same answer a little higher each time that it is asked."""
    asked: Counter[str] = Counter()

    def reply(request: Request) -> str | None:
        if request.model != "judge":
            return None
        asked[request.prompt] += 1
        return f'{{"score": {asked[request.prompt] / 10}}}'

    return reply


def scores(config: Path) -> dict[str, dict[str, float]]:
    """The score of each item, by the condition of the judge."""
    found: dict[str, dict[str, float]] = {}
    labels = load_study(config).design.labels
    for row in rows(config, "gradings"):
        found.setdefault(labels[row["grade_condition_id"]], {})[row["item_id"]] = row["score"]
    return found


def test_each_repeat_is_a_condition_with_calls_of_its_own(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=moody())
    config = declare(tmp_path)  # with the response cache
    foreseen = api.estimate(config)
    assert foreseen.remaining.calls == 4 * ITEMS
    once = api.estimate(config, graders=FIRST, only="gradings").remaining
    thrice = api.estimate(config, only="gradings").remaining
    assert thrice.usd == pytest.approx(3 * once.usd)
    summary = api.run(config, max_usd=math.inf)
    assert (server.count("judge"), summary.errored) == (3 * ITEMS, 0)
    assert summary.usd <= foreseen.remaining.usd
    assert {request.temperature for request in server.requests if request.model == "judge"} == {0.7}
    # One call after the other, or all three at once: each is answered by the server.
    assert Counter(row["score"] for row in rows(config, "gradings")) == dict.fromkeys(
        (0.1, 0.2, 0.3), ITEMS
    )
    assert [part.label.split(" | ")[1] for part in api.status(config).grade] == [
        FIRST,
        SECOND,
        THIRD,
    ]
    assert set(api.cells(config)["state"]) == {"done"} and len(api.cells(config)) == 3 * ITEMS
    assert_reconciled(config)
    server.reset_counts()
    again = api.run(config)
    assert (server.count(), again.calls, api.estimate(config).remaining.calls) == (0, 0, 0)


@pytest.mark.long
def test_repeats_are_found_in_the_response_cache_as_they_were(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=moody())
    config = declare(tmp_path, repeats=1)
    api.run(config)
    server.reset_counts()
    config = declare(tmp_path)
    assert api.estimate(config).remaining.cached == 0
    api.run(config)
    assert server.count() == 2 * ITEMS
    before = scores(config)
    assert set(before) == {FIRST, SECOND, THIRD} and set(before[FIRST].values()) == {0.1}
    # Which of the two others the server hears first is chance, for each item anew.
    assert all({before[SECOND][item], before[THIRD][item]} == {0.2, 0.3} for item in before[FIRST])
    shutil.rmtree(results_dir(config))
    server.reset_counts()
    assert api.estimate(config).remaining.cached == 4 * ITEMS
    summary = api.run(config)
    assert (server.count(), summary.cached, summary.usd) == (0, 4 * ITEMS, 0.0)
    assert scores(config) == before
    assert_reconciled(config)


@pytest.mark.long
def test_fewer_repeats_another_judge_and_chosen_ones(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=moody())
    config = declare(tmp_path)
    api.run(config, graders=SECOND)
    assert set(scores(config)) == {SECOND}
    server.reset_counts()
    summary = api.run(config, only="gradings", graders="judge")  # a name means all repeats
    assert summary.calls == server.count() == 2 * ITEMS
    config = declare(tmp_path, repeats=2, other={"model": "openai-api/test/judge", "scale": [0, 1]})
    server.reset_counts()
    summary = api.run(config, only="gradings")
    assert summary.calls == server.count() == ITEMS
    found = ie.agreement(config)
    assert found.judges == [FIRST, "other · strict"]  # each judge once
    assert {one.of for one in found.figures if one.figure == "alpha with itself"} == {FIRST}
    judges = {"graders": ["judge", "other"], "crossed": True}
    [both] = ie.reliability(config, **judges).by_grader
    assert both.graded_by == f"{FIRST}, other · strict"  # it counts once, by its first repeat
    [both] = ie.reliability(config, crossed=True).by_grader
    assert both.graded_by == f"{FIRST}, other · strict"
    # A name that repeats share means the first of them.
    assert ie.compare(config, "judge", "other").by_grader[0].words is not None
    assert set(api.cells(config)["grade_condition_id"]) == {
        one.id for one in load_study(config).design.grade
    }
    assert len(rows(config, "gradings")) == 4 * ITEMS  # what the design no longer has stays
    assert_reconciled(config)


@pytest.mark.long
def test_a_killed_run_repeats_nothing_that_was_answered(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.15))
    config = declare(tmp_path, cache=False, solvers={"max_connections": 2})
    process = Command("run", config, "--yes")
    process.wait_until(lambda: server.count("judge") > 2 * ITEMS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    summary = api.run(config, max_usd=math.inf)
    assert summary.errored == 0
    key = ("grade_condition_id", "item_id", "epoch")
    found = [tuple(row[name] for name in key) for row in rows(config, "gradings")]
    assert len(found) == len(set(found)) == 3 * ITEMS
    # At most the calls in flight, and what was not yet on the disk of the log, come twice.
    assert server.count("judge") <= 3 * ITEMS + 4
    assert_reconciled(config)
    assert api.run(config).calls == 0


@pytest.mark.long
def test_in_a_bucket_and_in_a_release(
    tmp_path: Path, serve: Serve, s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(reply=moody())
    monkeypatch.setenv("SCYTHE_STORAGE_BUCKET", str(tmp_path / "experiments"))
    config = declare(tmp_path, location=s3_location)
    api.run(config)
    released = api.release(config)
    frames = list((tmp_path / "experiments").rglob("*.pq"))
    assert released.version and frames
    conditions = {one.id for one in load_study(config).design.grade}
    long = pd.concat(
        [f for f in map(pd.read_parquet, frames) if "grade_condition_id" in f.reset_index()]
    )
    assert set(long.reset_index()["grade_condition_id"].dropna()) == conditions
    assert api.run(config).calls == 0


def test_how_a_judge_agrees_with_itself(tmp_path: Path, serve: Serve) -> None:
    def reply(request: Request) -> str | None:
        if request.model != "judge":
            return None
        n = int(request.prompt.split("What is ")[1].split()[0])
        return f'{{"score": {n / 10}}}'  # each item a score, always the same

    serve(reply=reply)
    config = declare(tmp_path)
    api.run(config)
    found = ie.agreement(config)
    assert found.judges == [FIRST]
    itself = {one.figure: one.estimate for one in found.figures if one.of == FIRST and one.estimate}
    alpha, same = itself["alpha with itself"], itself["same score in 3 repeats"]
    assert (alpha.value, same.value) == (pytest.approx(1.0), 1.0)
    assert alpha.low < 1 and same.low < 1
    assert not any("temperature 0" in words for words in found.words)
    [other] = ie.agreement(config, graders=[SECOND, THIRD]).judges
    assert other == SECOND
    grade = ie.conditions(config).query("stage == 'grade'")
    assert grade[["temperature", "repeat"]].values.tolist() == [[0.7, 1], [0.7, 2], [0.7, 3]]
    [panel] = ie.scores(config, panel=True).rows  # of one judge: of its repeats
    assert (panel.graded_by, panel.mean) == ("judge, 3 repeats · strict", pytest.approx(0.25))
