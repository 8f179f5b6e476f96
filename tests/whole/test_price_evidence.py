"""What a call is booked at: the price in its log, whatever becomes of the price file, and its
usage, where a reply tells one that can be."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api, stages
from itemeval_assets.cli.main import run_cli
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.calls import gate
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import open_store
from tests.model_server import Answer, Request, json_answer
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, results_dir, rows, write_prices


def declare(folder: Path, items: int = 3, max_retries: int = 0, **budget: Any) -> Path:
    prices = write_prices(folder, "m", "judge")
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        items=items,
        solvers={"max_tokens": 100, "max_retries": max_retries},
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
    "a fraction": {"prompt_tokens": 1.5, "completion_tokens": 7, "total_tokens": 8},
    "a word": {"prompt_tokens": "a", "completion_tokens": 7, "total_tokens": 8},
    "null": {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
    "truth": {"prompt_tokens": True, "completion_tokens": True, "total_tokens": 2},
    "an object": {"prompt_tokens": {}, "completion_tokens": 7, "total_tokens": 8},
    "a list": {"prompt_tokens": 5, "completion_tokens": [7], "total_tokens": 12},
    "no total": {"prompt_tokens": 5, "completion_tokens": 7},
    "only a word": "five",
    "only a list": [5, 7],
    "a cached word": {
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": "many"},
    },
}


def with_usages(request: Request) -> Answer | None:
    """The replies to the first items tell these usages; all others are as usual."""
    for number, usage in enumerate(USAGES.values(), 1):
        if request.model == "m" and f"What is {number} + {number}?" in request.prompt:
            message = {"role": "assistant", "content": f"ANSWER: {2 * number}"}
            body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            told = {} if usage is None else {"usage": usage}
            return json_answer(200, {**body, "choices": choices, **told})
    return None


def test_replies_without_a_usage_that_can_be_are_said_and_count_at_their_projection(
    tmp_path: Path, serve: Serve
) -> None:
    serve(reply=with_usages)
    config = declare(tmp_path, items=len(USAGES) + 2)
    done = api.run(config, only="solutions", max_usd=50)
    assert done.unmetered == done.status.unmetered == ["openai-api/test/m"]
    assert done.unpriced == []
    assert done.failed_checks == []
    solutions = {row["item_id"]: row for row in rows(config, "solutions")}
    for number, name in enumerate(USAGES, 1):
        odd = solutions.pop(f"q{number}")
        assert (odd["usd"], odd["error"], odd["solution"]) == (None, None, f"ANSWER: {2 * number}")
        assert not odd["input_tokens"], name
    [booked] = rows(config, "ledger")
    assert (booked["priced"], booked["calls"]) == (False, len(USAGES) + 2)
    others = sum(row["usd"] for row in solutions.values())
    assert booked["usd"] == pytest.approx(others) and others > 0
    assert_counted(config, len(USAGES))


def assert_counted(config: Path, unmetered: int) -> None:
    """So many replies are in no sum, and count against the cap."""
    [log], [booked] = rows(config, "log_index"), rows(config, "ledger")
    assert log["unmetered_calls"] == unmetered and log["unmetered_usd"] > 0
    assert (log["priced"], booked["priced"]) == (False, False)
    study = load_study(config)
    found = gate.standing(open_store(study), load_prices(study))
    assert found.spent_usd == pytest.approx((booked["usd"] or 0.0) + log["unmetered_usd"])
    assert stages.ledger.mismatches(open_store(study)) == []


UNREADABLE = [
    Answer(200, b'{"choices": "none"}'),
    Answer(200, b'{"error": {"message": "no", "code": 1}}'),
    Answer(200, b"<html>502</html>", "text/html"),
    Answer(200, b"{"),
]


def test_replies_that_cannot_be_read_count_at_their_projection_and_refusals_cost_nothing(
    tmp_path: Path, serve: Serve
) -> None:
    answers = [*UNREADABLE, Answer(400, b"{}"), Answer(500, b"{}")]

    def reply(request: Request) -> Answer | None:
        for number, answer in enumerate(answers, 1):
            if f"What is {number} + {number}?" in request.prompt:
                return answer
        return None

    serve(reply=reply)
    config = declare(tmp_path, items=len(answers) + 1)
    done = api.run(config, only="solutions", max_usd=50)
    assert done.unmetered == ["openai-api/test/m"]
    assert all(row["usd"] == 0.0 for row in rows(config, "solutions") if row["error"])
    assert_counted(config, len(UNREADABLE))


def test_a_reply_that_could_not_be_read_counts_though_its_repetition_could(
    tmp_path: Path, serve: Serve
) -> None:
    came: list[Request] = []

    def reply(request: Request) -> Answer | None:
        came.append(request)
        return Answer(200, b"null") if len(came) == 1 else None

    serve(reply=reply)
    config = declare(tmp_path, max_retries=2)
    api.run(config, only="solutions", max_usd=50)
    assert len(came) == 4 and all(row["usd"] > 0 for row in rows(config, "solutions"))
    assert_counted(config, 1)
