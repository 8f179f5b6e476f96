"""What a call is booked at: the price in its log, whatever becomes of the price file, and its
usage, where a reply tells one that can be."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api, stages
from itemeval_assets.cli import run_cli
from itemeval_assets.storage.inputs import load_prices, load_study
from itemeval_assets.storage.store import open_store
from tests.model_server import Answer, Request, json_answer
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, results_dir, rows, write_prices


def declare(folder: Path, **budget: Any) -> Path:
    prices = write_prices(folder, "m", "judge")
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        items=3,
        solvers={"max_tokens": 100},
        extra={"cache": False, "budget": {"pricing_path": prices, "max_usd": 50, **budget}},
    )


def usd_of(config: Path, table: str) -> float:
    return sum(row["usd"] or 0.0 for row in rows(config, table))


def forget(config: Path) -> None:
    """Delete all that is made from the logs."""
    for table in ("solutions", "gradings", "bookings", "log_index", "replaced"):
        shutil.rmtree(results_dir(config) / f"{table}.parquet", ignore_errors=True)
    (results_dir(config) / "ledger.parquet").unlink()


def test_a_price_file_that_changes_or_goes_never_changes_history(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server, config = serve(), declare(tmp_path)
    spent = api.run(config, max_usd=50).usd
    made, file = server.count(), tmp_path / "prices.json"
    before = {table: usd_of(config, table) for table in ("solutions", "gradings", "ledger")}
    assert before["ledger"] == pytest.approx(spent) and spent > 0
    dearer = json.loads(file.read_text())
    for price in dearer["models"].values():
        price |= {name: 2 * rate for name, rate in price.items() if name.endswith("_mtok")}
    file.write_text(json.dumps(dearer))
    forget(config)
    assert run_cli(["run", str(config), "--yes"]) == 0
    assert {table: usd_of(config, table) for table in before} == pytest.approx(before)
    file.unlink()
    forget(config)
    for command in ("recover", "status", "export"):
        assert run_cli([command, str(config)]) == 0, command
    assert {table: usd_of(config, table) for table in before} == pytest.approx(before)
    capsys.readouterr()
    assert run_cli(["run", str(config), "--yes", "--force"]) == 2
    assert "budget.pricing_path: there is no file" in capsys.readouterr().err
    assert server.count() == made
    assert_reconciled(config)


USAGES: dict[str, Any] = {
    "none": None,
    "negative": {"prompt_tokens": -5, "completion_tokens": 7, "total_tokens": 2},
    "endless": {"prompt_tokens": 2**60, "completion_tokens": 7, "total_tokens": 2**60 + 7},
    "a total below its parts": {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 3},
    "no token at all": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
}


def without_usage(usage: Any) -> Any:
    """The reply to the first item tells this usage; all others are as usual."""

    def reply(request: Request) -> Answer | None:
        if request.model != "m" or "What is 1 + 1?" not in request.prompt:
            return None
        message = {"role": "assistant", "content": "ANSWER: 2"}
        body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        told = {} if usage is None else {"usage": usage}
        return json_answer(200, {**body, "choices": choices, **told})

    return reply


@pytest.mark.parametrize("name", USAGES)
def test_a_reply_without_a_usage_that_can_be_is_said_and_counts_at_its_projection(
    tmp_path: Path, serve: Serve, name: str
) -> None:
    serve(reply=without_usage(USAGES[name]))
    config = declare(tmp_path)
    done = api.run(config, only="solutions", max_usd=50)
    assert done.unmetered == done.status.unmetered == ["openai-api/test/m"]
    assert done.unpriced == [] and done.failed_checks == []
    [odd] = [row for row in rows(config, "solutions") if row["usd"] is None]
    assert odd["solution"] == "ANSWER: 2" and not odd["input_tokens"] and not odd["error"]
    [booked] = rows(config, "ledger")
    others = sum(row["usd"] for row in rows(config, "solutions") if row is not odd and row["usd"])
    assert (booked["priced"], booked["calls"]) == (False, 3)
    assert booked["usd"] == pytest.approx(others) and others > 0
    [log] = rows(config, "log_index")
    assert log["unmetered_calls"] == 1 and log["unmetered_usd"] > 0
    study = load_study(config)
    found = stages.gate.standing(study, open_store(study), load_prices(study))
    assert found.spent_usd == pytest.approx(booked["usd"] + log["unmetered_usd"])
    assert stages.ledger.mismatches(open_store(study)) == []
