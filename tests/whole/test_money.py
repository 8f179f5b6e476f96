"""Every dollar: prices, savings, preflight, and ledgers that agree with inspect's own costs."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.engine.study_files import load_study
from tests.defs.runs import runs_of
from tests.model_server import Answer, Behaviour, Request
from tests.studies import write_study

from .conftest import Serve
from .looking import PRICE, assert_reconciled, logged_samples, results_dir, rows, write_prices

JUDGE = "openai-api/test/judge"


def declare(folder: Path, **changes: Any) -> Path:
    budget = {"pricing_path": write_prices(folder, "m", "judge")}
    given = {
        "models": ["openai-api/test/m"],
        "graders": [JUDGE],
        "items": 3,
        "extra": {"cache": False, "budget": budget},
    }
    return write_study(folder, **{**given, **changes})


def test_the_ledger_equals_the_costs_that_inspect_logs(tmp_path: Path, serve: Serve) -> None:
    serve(Behaviour(cached_tokens=7, reasoning_tokens=3))
    config = declare(tmp_path, replications=2)
    api.run(config)
    api.run(config, force=True)
    for stage in ("generate", "grade"):
        logged: dict[str, float] = {}
        for run_id, sample in logged_samples(config, stage):
            for usage in sample.model_usage.values():
                assert usage.total_cost is not None
                logged[run_id] = logged.get(run_id, 0.0) + usage.total_cost
        booked = {
            row["run_id"]: row["usd"]
            for row in rows(config, "ledger")
            if row["stage"] == stage and row["model"] != "(verifiable)"
        }
        assert len(booked) == 2
        assert booked == pytest.approx(logged, rel=1e-9)
    assert_reconciled(config)


def test_the_manifest_has_the_price_of_each_model_and_where_it_is_from(
    tmp_path: Path, serve: Serve
) -> None:
    serve()
    config = declare(tmp_path, graders=["mockllm/judge"])
    summary = api.run(config)
    folder = results_dir(config) / "manifests"
    found = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    prices = {model: price for manifest in found for model, price in manifest["prices"].items()}
    own = prices["openai-api/test/m"]
    assert own["input_usd_per_mtok"] == PRICE["input_usd_per_mtok"]
    assert own["source"] == "budget.pricing_path prices.json" and own["batch"] is False
    assert prices["mockllm/judge"]["source"] == "mock"
    assert {manifest["run_id"] for manifest in found} <= set(summary.run_ids)
    assert all(manifest["packages"]["genai-prices"][0] == "0" for manifest in found)


def test_export_prints_spend_and_savings_per_model(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(Behaviour(cached_tokens=5))
    config = declare(tmp_path)
    api.run(config)
    assert run_cli(["export", str(config), "--json"]) == 0
    spend = {entry["model"]: entry for entry in json.loads(capsys.readouterr().out)["spend"]}
    ledger = pd.read_csv(results_dir(config) / "export" / "ledger.csv")
    for model, entry in spend.items():
        own = ledger[ledger["model"] == model]
        assert entry["usd"] == pytest.approx(own["usd"].sum())
        assert entry["calls"] == own["calls"].sum() == 3
        full_price = PRICE["input_usd_per_mtok"] - PRICE["cache_read_usd_per_mtok"]
        saved = own["cache_read_tokens"].sum() * full_price / 1e6
        assert entry["saved_by_prompt_cache_usd"] == pytest.approx(saved) and saved > 0
    assert run_cli(["export", str(config)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in ("spend", "list", "price", "saved:", "prompt"):
        assert part in said


@pytest.mark.long
@pytest.mark.pictures
def test_the_costs_are_in_dagster_as_tables_and_pictures(tmp_path: Path, serve: Serve) -> None:
    serve()
    config = declare(tmp_path)
    api.run(config)
    with runs_of(load_study(config)) as runs:
        assert runs.run(["costs"]).success
        found = runs.metadata("costs")[Partition(("",))]
    spent = sum(row["usd"] or 0 for row in rows(config, "ledger"))
    assert found["usd"] == pytest.approx(spent)
    assert {record.data["model"] for record in found["spend"].records} == {
        "openai-api/test/m",
        JUDGE,
    }
    for name in ("usd per condition", "usd per day"):
        assert found[name].startswith(f"![{name}](data:image/png;base64,iVBOR")


def test_answers_that_cost_more_than_foreseen_hold_the_rest_back(
    tmp_path: Path, serve: Serve
) -> None:
    def long_winded(request: Request) -> str:
        return "word " * 10_000  # three times what is assumed of a model without max_tokens

    server = serve(reply=long_winded)
    config = declare(
        tmp_path, items=12, graders=[], solvers={"max_connections": 1}, scorer="numeric"
    )
    most = api.estimate(config).remaining.usd
    summary = api.run(config, max_usd=math.inf)
    assert 0 < server.count() < 12
    assert summary.held_back == 12 - server.count()
    # The last call that began may have gone over, and no other after it.
    assert summary.usd < most * (1 + 3 / 12)
    assert len(rows(config, "solutions")) == server.count()
    assert_reconciled(config)
    assert run_cli(["run", str(config), "--yes"]) == 3
    assert server.count() > 12 - summary.held_back


def test_preflight_calls_each_model_once_and_books_it(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(tmp_path, models=["openai-api/test/m", JUDGE])
    assert run_cli(["preflight", str(config)]) == 0
    assert sorted(request.model for request in server.requests) == ["judge", "m"]
    assert "ok" in capsys.readouterr().out
    api.run(config)
    ledger = [row for row in rows(config, "ledger") if row["stage"] == "preflight"]
    assert {row["model"] for row in ledger} == {"openai-api/test/m", JUDGE}
    assert all(row["usd"] > 0 and row["calls"] == 1 for row in ledger)
    # The export refuses to write while the ledger and the rows differ.
    assert api.export(config).rows == 12
    # 2 of the preflight, and those of the study itself.
    assert server.count() == 2 + 2 * 3 + 2 * 3


@pytest.mark.long
def test_preflight_tells_the_dead_from_those_nobody_can_judge_now(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reply(request: Request) -> str | Answer | None:
        statuses = {"gone": 404, "locked": 401, "busy": 500}
        status = statuses.get(request.model)
        return Answer(status, b'{"error": {"message": "no"}}') if status else None

    serve(reply=reply)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    models = [f"openai-api/test/{name}" for name in ("m", "gone", "locked", "busy")]
    config = declare(tmp_path, models=[*models, "openai/gpt-5-mini"], graders=[])
    found = {health.model: health for health in api.preflight(config)}
    assert {model.split("/")[-1]: health.verdict for model, health in found.items()} == {
        "m": "ok",
        "gone": "dead",
        "locked": "dead",
        "busy": "unverified",
        "gpt-5-mini": "dead",
    }
    assert "OPENAI_API_KEY" in found["openai/gpt-5-mini"].reason
    assert run_cli(["preflight", str(config), "--json"]) == 1


def test_preflight_passes_the_gate_too(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    budget = {"pricing_path": write_prices(tmp_path, "m", "judge"), "max_usd": 1e-9}
    config = declare(tmp_path, extra={"budget": budget})
    assert run_cli(["preflight", str(config), "--yes"]) == 4
    assert server.count() == 0
