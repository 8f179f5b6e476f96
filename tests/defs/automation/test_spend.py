"""What the webhook is told of money: once for runs at rest, once for each level of the limit."""

import json
from pathlib import Path

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.stages.ledger import usd_of_runs
from tests.defs.runs import SOLUTIONS, Runs, message, runs_of, toy_study

from .listening import SPEND, Receiver, Ticks

MODELS = ("mockllm/a", "mockllm/b", "mockllm/judge")
PRICE = {"input_usd_per_mtok": 0.0, "output_usd_per_mtok": 1_000_000.0}


def priced(folder: Path, max_usd: float | None) -> Study:
    """A study whose tokens cost a dollar each."""
    folder.mkdir(exist_ok=True)
    (folder / "prices.json").write_text(json.dumps({"models": dict.fromkeys(MODELS, PRICE)}))
    budget = {"pricing_path": "prices.json", "max_usd": max_usd}
    return toy_study(folder, extra={"budget": budget}, solvers={"max_tokens": 20})


def paid(runs: Runs, number: int) -> tuple[str, float]:
    """Run one partition; the run, and what it has cost."""
    part = runs.study.generate_partitions()[number]
    result = runs.run(SOLUTIONS, only=part, config={"consent_usd": 100.0})
    assert result.success, message(result)
    return result.run_id, usd_of_runs(runs.store, [result.run_id])


def test_what_a_run_spent_is_told_once(tmp_path: Path, receiver: Receiver) -> None:
    with runs_of(priced(tmp_path, None)) as runs:
        ticks = Ticks(runs, receiver.url, (SPEND,), ui_url="http://ui")
        assert runs.run(["items"]).success
        ticks()
        assert receiver.told == []  # it cost nothing
        run_id, usd = paid(runs, 0)
        ticks()
        ticks()
        assert usd > 0 and receiver.told == [
            f"Study toy: 1 run spent ${usd:,.2f} in 3 calls\nspent so far: ${usd:,.2f}\n"
            "mockllm/a: mock prices; nobody pays these dollars\n"
            f"run {run_id}\nhttp://ui/runs/{run_id}"
        ]


def test_runs_are_told_together_once_they_are_at_rest(tmp_path: Path, receiver: Receiver) -> None:
    with runs_of(priced(tmp_path, None)) as runs:
        ticks = Ticks(runs, receiver.url, (SPEND,))
        assert runs.run(["items"]).success
        waiting = runs.instance.create_run_for_job(
            runs.job, asset_selection=frozenset({dg.AssetKey(["toy", "items"])})
        )
        first, _ = paid(runs, 0), ticks()
        second, _ = paid(runs, 1), ticks()
        assert receiver.told == []
        runs.instance.report_run_canceled(waiting)
        ticks()
        [text] = receiver.told
        assert text.startswith(f"Study toy: 2 runs spent ${first[1] + second[1]:,.2f} in 6 calls\n")


def test_each_level_of_the_limit_is_told_once(tmp_path: Path, receiver: Receiver) -> None:
    with runs_of(priced(tmp_path / "first", None)) as runs:
        assert runs.run(["items"]).success
        cost = [paid(runs, number)[1] for number in range(4)]
    # The third run passes half of the limit.
    cap = (sum(cost[:3]) - 0.5) / 0.5
    with runs_of(priced(tmp_path / "second", cap)) as runs:
        ticks = Ticks(runs, receiver.url, (SPEND,))
        assert runs.run(["items"]).success
        for number in range(4):
            paid(runs, number)
            ticks()
            ticks()
    headlines = [text.splitlines()[0] for text in receiver.told]
    assert [line.startswith("Study toy: 1 run spent") for line in headlines] == [
        True,
        True,
        False,
        True,
    ]
    assert headlines[2] == "Study toy: 50 % of budget.max_usd is spent"
