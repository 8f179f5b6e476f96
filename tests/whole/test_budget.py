"""The gate before the first call: a hard cap, and consent."""

from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli import run_cli
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing
from tests.studies import write_study

from .conftest import Serve
from .looking import rows, write_prices

# 2 calls of at most 1,000 output tokens at 30 USD per million are projected at 0.06 USD.
SOLVERS = {"max_tokens": 1000}


def declare(folder: Path, **budget: float) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=[],
        items=2,
        solvers=SOLVERS,
        extra={"budget": {"pricing_path": write_prices(folder, "m"), **budget}},
    )


def test_over_the_cap_nothing_is_called_whatever_is_said(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(tmp_path, max_usd=0.05)
    with pytest.raises(BudgetExceeded):
        api.run(config, only="solutions")
    assert run_cli(["run", str(config), "--only", "solutions", "--yes"]) == 4
    assert "budget.max_usd" in capsys.readouterr().err
    assert server.count() == 0
    assert rows(config, "solutions") == []


def test_without_consent_nothing_is_called_and_with_it_all(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(tmp_path, confirm_above_usd=0.05, max_usd=1.0)
    assert run_cli(["run", str(config), "--only", "solutions"]) == 3
    assert "--yes" in capsys.readouterr().err
    with pytest.raises(ConsentMissing):
        api.run(config, only="solutions", max_usd=0.055)
    assert server.count() == 0
    assert run_cli(["run", str(config), "--only", "solutions", "--yes"]) == 0
    assert server.count() == 2


def test_what_was_spent_counts_towards_the_cap(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = declare(tmp_path, max_usd=0.0605)
    api.run(config, only="solutions")
    assert server.count() == 2
    with pytest.raises(BudgetExceeded):
        api.run(config, only="solutions", force=True)
    assert server.count() == 2
