"""`budget.prefer_native_batch`: models at OpenRouter, asked in batches of their own provider."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.errors import ConfigError
from tests.model_server import ModelServer
from tests.studies import study_yaml, write_study

from .conftest import Serve
from .looking import PRICE, assert_reconciled, results_dir, rows
from .test_batch import be_openai

MINI, DEEPSEEK = "openrouter/openai/gpt-4o-mini", "openrouter/deepseek/deepseek-chat"


def declare(folder: Path, **budget: Any) -> Path:
    prices = {"models": dict.fromkeys(("openai/gpt-4o-mini", MINI, DEEPSEEK), PRICE)}
    (folder / "prices.json").write_text(json.dumps(prices))
    given = {"pricing_path": "prices.json", "prefer_native_batch": True, **budget}
    return write_study(
        folder,
        models=[MINI, DEEPSEEK],
        graders=[MINI],
        scorer=None,
        items=2,
        policy="full-batch",
        solvers={"provider_routing": {"order": ["x"]}},
        extra={"cache": False, "budget": given},
    )


@pytest.fixture
def router(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    server = serve()
    monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-of-the-test")
    return server


def test_a_routed_model_is_asked_in_batches_and_keeps_its_name(
    tmp_path: Path, router: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_openai(router, monkeypatch)
    config = declare(tmp_path)
    found = api.estimate(config)
    told = f"in batches of their own provider: {MINI} as openai/gpt-4o-mini"
    assert told in found.warnings
    assert found.remaining.usd < api.estimate(config, policy="full-interactive").grid.usd

    summary = api.run(config)
    assert (summary.calls, summary.errored, summary.unpriced) == (8, 0, [])
    calls = sorted((request.model, request.batch) for request in router.requests)
    assert calls == [("deepseek/deepseek-chat", False)] * 2 + [("gpt-4o-mini", True)] * 6
    assert {row["model"] for row in rows(config, "solutions")} == {MINI, DEEPSEEK}
    for row in rows(config, "ledger"):
        is_routed = row["model"] == MINI
        tokens = row["input_tokens"] * PRICE["input_usd_per_mtok"]
        tokens += row["output_tokens"] * PRICE["output_usd_per_mtok"]
        assert row["batch"] == is_routed
        assert row["usd"] == pytest.approx(tokens / 1e6 / (2 if is_routed else 1))
    assert_reconciled(config)
    ends = [
        end
        for manifest in (results_dir(config) / "manifests").glob("*.json")
        for end in json.loads(manifest.read_text())["endpoints_effective"].values()
    ]
    assert [end.get("execution_model") for end in ends].count("openai/gpt-4o-mini") == 3
    assert len(ends) == 4
    assert api.run(config).calls == 0


def test_without_the_key_of_the_provider_nothing_is_called(
    tmp_path: Path, router: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path)
    there_was = sorted(tmp_path.rglob("*"))
    assert run_cli(["run", str(config), "--yes"]) == 2
    said = capsys.readouterr().err
    assert f"budget.prefer_native_batch: {MINI}: openai/gpt-4o-mini: there is no API key;" in said
    assert "OPENAI_API_KEY" in said
    assert sorted(tmp_path.rglob("*")) == there_was and router.count() == 0
    dead, alive = api.preflight(config)
    assert (dead.verdict, alive.verdict) == ("dead", "ok") and "OPENAI_API_KEY" in dead.reason


def test_outside_of_batch_mode_nothing_is_routed(tmp_path: Path, router: ModelServer) -> None:
    config = declare(tmp_path)
    found = api.estimate(config, policy="full-interactive")
    assert not any("own provider" in warning for warning in found.warnings)
    assert found.unreachable == []


def test_a_task_calls_its_models_under_their_own_ids(tmp_path: Path) -> None:
    document = study_yaml(graders=[], extra={"budget": {"prefer_native_batch": True}})
    document["benchmark"] = {"adapter": "inspect", "task": "tasks.py"}
    del document["facets"]["prompt"]
    with pytest.raises(ConfigError, match=r"budget\.prefer_native_batch: a task "):
        parse_config(yaml.safe_dump(document), "study.yaml")
