"""The estimate: what it foresees is what the server then counts, and it costs nothing."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.engine.study_files import load_study
from tests.defs.runs import runs_of
from tests.model_server import Behaviour, ModelServer
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, results_dir, rows, write_prices

ITEMS = 3


def declare(folder: Path, **changes: Any) -> Path:
    """Two models, a scorer and a judge; nothing is cached but in the tables."""
    given = {
        "models": ["openai-api/test/m", "openai-api/test/n"],
        "graders": ["openai-api/test/judge"],
        "items": ITEMS,
        "solvers": {"max_tokens": 100},
        "extra": {
            "cache": False,
            "budget": {"pricing_path": write_prices(folder, "m", "n", "judge")},
        },
    }
    return write_study(folder, **{**given, **changes})


def run_as_foreseen(config: Path, server: ModelServer, **asked: Any) -> int:
    """Estimate, run, and return the calls after checking that both agree."""
    foreseen = api.estimate(config, **asked)
    assert server.count() == 0  # an estimate calls nobody
    summary = api.run(config, **asked, max_usd=math.inf)
    calls = foreseen.remaining.calls
    assert calls == server.count() == summary.calls
    assert summary.usd <= foreseen.remaining.usd
    server.reset_counts()
    return calls


def test_a_fresh_study(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = declare(tmp_path)
    assert not results_dir(config).exists()
    found = api.estimate(config)
    assert not results_dir(config).exists()  # nothing is written either
    assert found.grid == found.remaining
    assert found.remaining.expected_usd is None and found.wall_time_s is None
    assert run_as_foreseen(config, server) == 4 * ITEMS
    assert api.estimate(config).remaining.calls == 0


def test_a_half_done_study_counts_the_judgements_of_solutions_to_come(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    config = declare(tmp_path)
    api.run(config, conditions=["openai-api/test/m"], only="solutions")
    server.reset_counts()
    assert api.estimate(config, only="solutions").remaining.calls == ITEMS
    assert api.estimate(config, only="gradings").remaining.calls == ITEMS
    assert run_as_foreseen(config, server) == 3 * ITEMS


@pytest.mark.long
def test_raised_replications_an_added_judge_and_a_forced_run(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    api.run(declare(tmp_path))
    server.reset_counts()
    assert run_as_foreseen(declare(tmp_path, replications=2), server) == 4 * ITEMS
    judges = ["openai-api/test/judge", "openai-api/test/m"]
    config = declare(tmp_path, replications=2, graders=judges)
    assert run_as_foreseen(config, server, graders=["openai-api/test/m"]) == 4 * ITEMS
    assert run_as_foreseen(config, server, force=True) == 12 * ITEMS
    assert run_as_foreseen(config, server, force=True, only="gradings") == 8 * ITEMS
    assert_reconciled(config)


@pytest.mark.long
def test_an_errored_study(tmp_path: Path, serve: Serve) -> None:
    server = serve(models={"n": Behaviour(permanent=1.0)})
    config = declare(tmp_path)
    api.run(config)
    server.models = {}
    server.reset_counts()
    assert run_as_foreseen(config, server) == 2 * ITEMS
    assert_reconciled(config)


@pytest.mark.long
def test_blank_answers_are_foreseen_as_they_are_run(tmp_path: Path, serve: Serve) -> None:
    server = serve(models={"n": Behaviour(blank=1.0)})
    config = declare(tmp_path, solvers={"max_tokens": 100, "on_empty": "rerun"})
    api.run(config)
    server.models = {}
    server.reset_counts()
    assert run_as_foreseen(config, server) == 2 * ITEMS


def test_expected_figures_come_from_the_rows_of_the_model_else_of_all(
    tmp_path: Path, serve: Serve
) -> None:
    serve(Behaviour(latency_s=0.05))
    config = declare(tmp_path)
    api.run(config, conditions=["openai-api/test/m"])
    spent = sum(row["usd"] for row in rows(config, "solutions"))
    found = {part.model: part for part in api.estimate(config, force=True).generate}
    own, other = found["openai-api/test/m"], found["openai-api/test/n"]
    assert (own.basis, other.basis) == ("openai-api/test/m", "all models")
    assert own.remaining.expected_usd == pytest.approx(spent, rel=0.02)
    assert other.remaining.expected_usd == pytest.approx(spent, rel=0.02)
    assert own.remaining.usd > (own.remaining.expected_usd or 0)
    time = api.estimate(config).wall_time_s
    assert time is not None and 0.05 <= time.least_s <= time.most_s


def test_what_the_response_cache_holds_is_foreseen_as_free(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    cached = {"extra": {"cache": True, "budget": {"pricing_path": "prices.json", "max_usd": 1}}}
    config = declare(tmp_path, replications=2, **cached)
    api.run(config)
    shutil.rmtree(results_dir(config))
    server.reset_counts()
    found = api.estimate(config)
    assert found.remaining.cached == found.remaining.calls == 8 * ITEMS
    assert (found.remaining.usd, found.grid.cached) == (0.0, 0)
    # No budget is needed for what is free, not even the smallest.
    tight = {"budget": {"pricing_path": "prices.json", "max_usd": 1e-9, "confirm_above_usd": 0}}
    config = declare(tmp_path, replications=2, extra={"cache": True, **tight})
    summary = api.run(config)
    assert server.count() == 0
    assert (summary.cached, summary.usd) == (8 * ITEMS, 0.0)
    for table in ("solutions", "gradings"):
        assert {row["usd"] for row in rows(config, table)} == {0.0}
        assert {row["total_tokens"] for row in rows(config, table)} == {None}
    assert_reconciled(config)
    saved = rows(config, "log_index")
    assert sum(log["saved_by_response_cache_usd"] for log in saved) > 0


def test_a_call_that_the_gate_took_for_cached_is_not_sent(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    config = declare(tmp_path, extra={"budget": {"pricing_path": "prices.json"}})
    write_prices(tmp_path, "m", "n", "judge")
    monkeypatch.setattr(
        "itemeval_assets.stages.calls.making.cached_answers",
        lambda model, config, repeat, samples: dict.fromkeys(samples, "it was there a moment ago"),
    )
    summary = api.run(config, only="solutions")
    assert server.count() == 0
    assert summary.errored == 2 * ITEMS
    assert all("limit" in row["error"] for row in rows(config, "solutions"))


def test_the_command_prints_tables_or_one_json_document(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(tmp_path, solvers={})
    assert run_cli(["estimate", str(config)]) == 0
    said = capsys.readouterr().out
    for part in ("no model was called", "12 calls", "at most", "max_tokens", "4096 tokens"):
        assert part in said
    assert run_cli(["estimate", str(config), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["remaining"]["calls"] == 12 and len(found["generate"]) == 2
    assert server.count() == 0


def test_the_asset_shows_the_same_in_dagster(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = declare(tmp_path)
    foreseen = api.estimate(config)
    with runs_of(load_study(config)) as runs:
        assert runs.run(["estimate"]).success
        found = runs.metadata("estimate")[Partition(("",))]
    assert server.count() == 0
    assert found["calls"] == foreseen.remaining.calls
    assert found["usd at most"] == pytest.approx(foreseen.remaining.usd)
    table = pd.DataFrame([record.data for record in found["gradings"].records])
    assert table["calls"].tolist() == [f"{ITEMS} of {ITEMS}"] * 2


def test_without_the_key_of_a_model_there_is_an_estimate_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    config = write_study(
        tmp_path, models=["openai/gpt-5-mini"], graders=[], solvers={"max_tokens": 50}
    )
    found = api.estimate(config)
    assert found.remaining.calls == 4 and found.remaining.usd > 0
    (warning,) = (warning for warning in found.warnings if "OPENAI_API_KEY" in warning)
    assert warning.startswith(
        "openai/gpt-5-mini (solvers.models) can be neither called nor looked up in the response "
        "cache: "
    )
    assert warning.count("openai/gpt-5-mini") == 1


def test_models_that_their_providers_end_are_told_before_the_calls(tmp_path: Path) -> None:
    models = ["google/gemini-2.0-flash", "openai/gpt-4o"]
    told = api.estimate(write_study(tmp_path, models=models, graders=[])).warnings
    [word] = [one for one in told if "its provider ends it" in one]
    assert word.startswith("google/gemini-2.0-flash: ")
