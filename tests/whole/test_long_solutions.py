"""Solutions that are longer than a judge is to be shown: cut, marked, counted and estimated so."""

import math
import shutil
from pathlib import Path
from typing import Any

import itemeval_assets as ie
from itemeval_assets import api
from itemeval_assets.core.money.projection.estimate import most_tokens
from itemeval_assets.core.prompts.long_solutions import cut_mark
from itemeval_assets.engine.study_files import load_study
from tests.model_server import Request
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

ITEMS, MOST = 4, 20
JUDGE = {"model": "openai-api/test/judge", "scale": [0, 1]}


def declare(folder: Path, **extra: Any) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["judge", "brief"],
        scorer=None,
        items=ITEMS,
        solvers={"max_tokens": 100},
        extra={
            "graders": {"judge": JUDGE, "brief": {**JUDGE, "max_solution_chars": MOST}},
            "budget": {"pricing_path": write_prices(folder, "m", "judge"), "max_usd": 100},
            **extra,
        },
    )


def reply(request: Request) -> str:
    """Of the four items two have an answer of 10 and 20 characters, two have longer ones."""
    if request.model == "judge":
        return '{"score": 1}'
    return "é" * (10 * int(request.prompt.split("What is ")[1].split()[0]))


def test_a_judge_is_shown_the_head_of_a_long_solution(tmp_path: Path, serve: Serve) -> None:
    server = serve(reply=reply)
    config = declare(tmp_path)
    before = api.estimate(config, graders="brief").remaining
    assert before.usd < api.estimate(config, graders="judge").remaining.usd
    api.run(config, only="solutions")
    server.reset_counts()
    foreseen = api.estimate(config, graders="brief").remaining
    assert foreseen.usd < before.usd
    summary = api.run(config, graders="brief", max_usd=math.inf)
    shown = [request.prompt for request in server.requests if request.model == "judge"]
    # The estimate in whole columns counts what is sent, to the byte.
    assert foreseen.input_tokens == sum(map(most_tokens, shown))
    assert summary.usd <= foreseen.usd
    cut = "é" * MOST + cut_mark(MOST)
    assert sorted(cut in prompt for prompt in shown) == [False, False, True, True]
    assert not any("é" * (MOST + 1) in prompt for prompt in shown)
    not_shown = {
        row["item_id"]: row["solution_chars_not_shown"] for row in rows(config, "gradings")
    }
    assert not_shown == {"q1": None, "q2": None, "q3": 10, "q4": 20}
    said = (
        "brief · strict was shown 2 of 4 solutions cut to their first 20 characters"
        " (graders.brief.max_solution_chars)."
    )
    assert summary.scores and said in summary.scores.words and said in ie.scores(config).words
    api.run(config)
    shown = [request.prompt for request in server.requests if request.model == "judge"]
    assert sum("é" * 10 * ITEMS in prompt for prompt in shown) == 1  # the other judge sees all
    assert_reconciled(config)
    server.reset_counts()
    assert (api.run(config).calls, server.count()) == (0, 0)
    # Where the rows are gone, the log tells the same of them.
    [brief] = [one for one in load_study(config).design.grade if one.grader.name == "brief"]
    found = [row for row in rows(config, "gradings") if row["grade_condition_id"] == brief.id]
    shutil.rmtree(results_dir(config) / "gradings.parquet")
    assert (api.run(config).calls, server.count()) == (0, 0)
    assert [
        row for row in rows(config, "gradings") if row["grade_condition_id"] == brief.id
    ] == found
