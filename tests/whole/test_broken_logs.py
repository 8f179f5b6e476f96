"""An eval that inspect cannot log to its end fails its run; what it cost is booked."""

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log._recorders.eval import EvalRecorder

from itemeval_assets.cli import run_cli
from tests.faults.study_runs import assert_books_agree, loss_of
from tests.model_server import Behaviour
from tests.studies import write_study

from .conftest import Serve
from .looking import rows, write_prices

ITEMS, CONNECTIONS = 8, 4


def broken_at(item: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let inspect fail as it puts the sample of this item of model m into its log."""
    whole = EvalRecorder.log_sample

    async def log_sample(self: Any, eval: Any, sample: Any, **options: Any) -> None:
        if sample.id == item and eval.model.endswith("/m"):
            raise ValueError("the log takes no more")
        await whole(self, eval, sample, **options)

    monkeypatch.setattr(EvalRecorder, "log_sample", log_sample)


def test_a_log_that_breaks_fails_the_run_and_its_calls_are_booked(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = serve(Behaviour(latency_s=0.05))
    config = write_study(
        tmp_path,
        models=["openai-api/test/m", "openai-api/test/n"],
        graders=[],
        items=ITEMS,
        solvers={"max_tokens": 100, "max_connections": CONNECTIONS},
        extra={
            "cache": False,
            "budget": {"pricing_path": write_prices(tmp_path, "m", "n"), "max_usd": 50},
        },
    )
    with monkeypatch.context() as patch:
        broken_at("q3", patch)
        assert run_cli(["run", str(config), "--json"]) == 1
        printed = capsys.readouterr()
    said = json.loads(printed.out)["message"]
    assert said in printed.err
    assert "the calls of m · short: " in said and "the log takes no more" in said
    stored = rows(config, "solutions")
    assert sum(row["condition_id"].startswith("n_") for row in stored) == ITEMS
    assert 0 < len(stored) < 2 * ITEMS
    found = loss_of(config, server, items=ITEMS)
    assert found.usd == 0.0
    assert_books_agree(config)
    for _ in range(2):
        assert run_cli(["run", str(config)]) == 0
        assert loss_of(config, server, items=ITEMS).usd == 0.0
    assert len(rows(config, "solutions")) == 2 * ITEMS
    assert server.count("n") == ITEMS and server.count("m") <= ITEMS + 1 + CONNECTIONS
    assert run_cli(["recover", str(config)]) == run_cli(["export", str(config)]) == 0
    assert_books_agree(config)
