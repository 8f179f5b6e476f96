"""Batch mode: half the price, from the estimate to the ledger."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from inspect_ai.model._providers.util import batch as inspect_batch

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.stages.projection.estimate import StudyEstimate
from itemeval_assets.stages.projection.foresight import PartitionEstimate
from tests.model_server import ModelServer, Request, error_answer
from tests.studies import write_study

from .conftest import Serve
from .looking import PRICE, Row, assert_reconciled, results_dir, rows

BATCHED, PLAIN = "openai/gpt-4o-mini", "openai-api/test/m"
TICK_S = 0.1


class Finished(NamedTuple):
    config: Path
    estimates: dict[str, StudyEstimate]
    requests: list[Request]


def declare(folder: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    prices = {"models": dict.fromkeys((BATCHED, PLAIN), PRICE)}
    (folder / "prices.json").write_text(json.dumps(prices))
    given = {
        "models": [BATCHED],
        "graders": [BATCHED],
        "scorer": None,
        "policy": "full-batch",
        "extra": {"cache": False, "budget": {"pricing_path": "prices.json"}},
    }
    return write_study(folder, **{**given, **changes})


def be_openai(server: ModelServer, environment: pytest.MonkeyPatch) -> ModelServer:
    """Let the server be OpenAI, for clients that look often what became of a batch."""
    environment.setenv("OPENAI_BASE_URL", server.base_url)
    environment.setenv("OPENAI_API_KEY", "sk-of-the-test")
    environment.setattr(inspect_batch, "DEFAULT_BATCH_TICK", TICK_S)
    environment.setattr(inspect_batch, "DEFAULT_SEND_DELAY", TICK_S)
    return server


@pytest.fixture
def openai(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    return be_openai(serve(), monkeypatch)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, serve_module: Serve) -> Finished:
    """A solver with a batch mode and one without, two replications, and a judge with one."""
    config = declare(
        tmp_path_factory.mktemp("finished"),
        models=[BATCHED, PLAIN],
        items=3,
        replications=2,
    )
    policies = ("full-batch", "full-interactive")
    with pytest.MonkeyPatch.context() as environment:
        server = be_openai(serve_module(), environment)
        server.batches.seconds = 3 * TICK_S
        estimates = {policy: api.estimate(config, policy=policy) for policy in policies}
        api.run(config)
        return Finished(config, estimates, server.requests)


def test_every_call_that_can_be_is_a_line_of_a_batch(finished: Finished) -> None:
    calls = sorted((request.model, request.batch) for request in finished.requests)
    assert calls == [("gpt-4o-mini", True)] * 18 + [("m", False)] * 6
    solutions = rows(finished.config, "solutions")
    assert len(solutions) == len(rows(finished.config, "gradings_long")) == 12
    assert all("ANSWER:" in row["solution"] for row in solutions)
    assert all(row["parse_ok"] for row in rows(finished.config, "gradings"))


def test_batch_calls_cost_half_and_the_others_what_they_always_cost(finished: Finished) -> None:
    solutions, gradings = rows(finished.config, "solutions"), rows(finished.config, "gradings")
    for row in solutions:
        assert row["usd"] == pytest.approx(_share(row["model"]) * _list_usd(row))
    for row in gradings:
        assert row["usd"] == pytest.approx(_list_usd(row) / 2)
    ledger = rows(finished.config, "ledger")
    assert [row["model"] for row in ledger].count(BATCHED) == 2  # its answers, and its verdicts
    for row in ledger:
        assert row["batch"] == (row["model"] == BATCHED)
        assert row["usd"] == pytest.approx(_share(row["model"]) * _list_usd(row))
        assert row["usd"] > 0
    assert_reconciled(finished.config)


def test_the_log_index_says_what_the_batches_saved(finished: Finished) -> None:
    index = rows(finished.config, "log_index")
    assert len(index) == 4
    for log in index:
        assert log["batch"] == (log["model"] == BATCHED)
        assert log["saved_by_batch_usd"] == pytest.approx(log["usd"] if log["batch"] else 0.0)
        assert log["saved_by_prompt_cache_usd"] == 0.0


def test_manifests_hold_the_price_that_was_paid(finished: Finished) -> None:
    manifests = results_dir(finished.config) / "manifests"
    used: list[dict[str, Any]] = []
    for run_id in {row["run_id"] for row in rows(finished.config, "ledger")}:
        manifest = json.loads((manifests / f"{run_id}.json").read_text())
        assert manifest["batch"] is True
        used.append(manifest["prices"])
    assert sorted(map(set, used), key=len) == [{BATCHED}, {BATCHED, PLAIN}]
    for prices in used:
        for model, price in prices.items():
            assert price["batch"] == (model == BATCHED)
            assert price["source"] == "budget.pricing_path prices.json"
            for name, rate in PRICE.items():
                assert price[name] == pytest.approx(_share(model) * rate)


def test_the_estimate_is_halved_where_there_are_batches(finished: Finished) -> None:
    batch, plain = (
        _by_label(finished.estimates[policy]) for policy in ("full-batch", "full-interactive")
    )
    assert len(batch) == 4
    assert batch.keys() == plain.keys()
    for label, part in plain.items():
        assert batch[label].remaining.usd == pytest.approx(_share(part.model) * part.remaining.usd)
        assert batch[label].remaining.calls == part.remaining.calls == 6
    whole = finished.estimates["full-batch"].remaining.usd
    spent = sum(row["usd"] for row in rows(finished.config, "ledger"))
    assert spent < whole


def _by_label(estimate: StudyEstimate) -> dict[str, PartitionEstimate]:
    return {part.label: part for part in (*estimate.generate, *estimate.grade)}


def _share(model: str) -> float:
    """The share of the list price that is paid for a model under full-batch."""
    return 0.5 if model == BATCHED else 1.0


def _list_usd(row: Row) -> float:
    rates = {
        "input_tokens": PRICE["input_usd_per_mtok"],
        "output_tokens": PRICE["output_usd_per_mtok"],
        "cache_read_tokens": PRICE["cache_read_usd_per_mtok"],
    }
    return sum((row[name] or 0) * rate for name, rate in rates.items()) / 1e6


def test_a_policy_without_batches_pays_the_full_price(tmp_path: Path, openai: ModelServer) -> None:
    config = declare(tmp_path, items=2, policy="full-interactive")
    api.run(config, only="solutions")
    assert [request.batch for request in openai.requests] == [False] * 2
    [log] = rows(config, "log_index")
    assert (log["batch"], log["saved_by_batch_usd"]) == (False, 0.0)
    assert log["usd"] == pytest.approx(_list_usd(log))
    assert_reconciled(config)


def test_json_output_stays_one_document(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, items=2)
    assert run_cli(["run", str(config), "--only", "solutions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 2


def test_the_wait_for_a_batch_has_no_timeout(tmp_path: Path, openai: ModelServer) -> None:
    openai.batches.seconds = 2.0
    config = declare(tmp_path, items=2, solvers={"attempt_timeout": 1, "max_retries": 0})
    api.run(config, only="solutions")
    assert openai.count() == 2
    assert [row["error"] for row in rows(config, "solutions")] == [None, None]


def test_a_limit_of_connections_does_not_cut_batches(tmp_path: Path, openai: ModelServer) -> None:
    openai.batches.seconds = 1.0
    config = declare(tmp_path, items=3, solvers={"max_connections": 1})
    api.run(config, only="solutions")
    assert openai.batches.sizes == [3]


def test_a_refused_line_leaves_the_rest_of_its_batch_alone(
    tmp_path: Path, openai: ModelServer
) -> None:
    openai.reply = lambda r: error_answer(400, "too long") if "1 + 1" in r.prompt else None
    config = declare(tmp_path, items=3)
    api.run(config, only="solutions")
    errors = {row["item_id"]: row["error"] for row in rows(config, "solutions")}
    assert "too long" in (errors.pop("q1") or "")
    assert errors == {"q2": None, "q3": None}
    assert_reconciled(config)
