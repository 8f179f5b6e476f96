"""The gate before the first call: a hard cap, and consent."""

import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import BudgetExceeded, ConfigError, ConsentMissing
from itemeval_assets.dagster_io.naming.names import RESERVED_BY_TAG
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import open_store
from tests.commands import Command
from tests.defs.runs import SOLUTIONS, message, runs_of
from tests.model_server import Behaviour
from tests.studies import write_study

from .conftest import Serve
from .looking import read_log, results_dir, rows, write_prices

# 2 calls of at most 1,000 output tokens at 30 USD per million are projected at 0.06 USD.
SOLVERS = {"max_tokens": 1000}


def declare(folder: Path, **budget: Any) -> Path:
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


@pytest.mark.parametrize(
    "budget, words, code",
    [
        ({"max_usd": 0.05}, ["run", "--yes"], 4),
        ({"max_usd": 0.05}, ["run", "--workers", "2", "--yes"], 4),
        ({"confirm_above_usd": 0.05}, ["run"], 3),
        ({"confirm_above_usd": 0.05}, ["run", "--max-usd", "0.05"], 3),
        ({"pricing_path": None}, ["run"], 3),
        ({"pricing_path": None, "max_usd": 1.0}, ["run", "--yes"], 2),
        ({"confirm_above_usd": 0.0}, ["preflight"], 3),
        ({"confirm_above_usd": 0.0, "max_usd": 1e-9}, ["preflight", "--yes"], 4),
    ],
)
def test_a_first_run_that_the_budget_refuses_leaves_nothing_on_the_disk(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    budget: dict[str, Any],
    words: list[str],
    code: int,
) -> None:
    server = serve()
    monkeypatch.setattr("itemeval_assets.core.money.pricing.is_local", lambda *_: False)
    config = declare(tmp_path, **budget)
    there_was = sorted(tmp_path.rglob("*"))
    assert run_cli([words[0], str(config), *words[1:]]) == code
    assert sorted(tmp_path.rglob("*")) == there_was
    assert server.count() == 0


def test_what_was_spent_counts_towards_the_cap(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = declare(tmp_path, max_usd=0.062)
    api.run(config, only="solutions")
    assert server.count() == 2
    with pytest.raises(BudgetExceeded):
        api.run(config, only="solutions", force=True)
    assert server.count() == 2


def test_a_cap_at_half_of_the_projection_lets_no_stage_begin(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    prices = write_prices(tmp_path, "m", "judge")

    def with_cap(cap: float | None) -> Path:
        budget = {"pricing_path": prices, "max_usd": cap}
        return write_study(
            tmp_path,
            models=["openai-api/test/m"],
            graders=["openai-api/test/judge"],
            solvers=SOLVERS,
            extra={"budget": budget},
        )

    projected = api.estimate(with_cap(None))
    generating = sum(part.remaining.usd for part in projected.generate)
    assert generating < projected.remaining.usd / 2  # it alone would pass
    config = with_cap(projected.remaining.usd / 2)
    assert run_cli(["run", str(config), "--yes"]) == 4
    assert server.count() == 0


def test_a_refusal_names_the_figures_and_every_way_to_consent(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(tmp_path, confirm_above_usd=0.01)
    assert run_cli(["run", str(config)]) == 3
    said = capsys.readouterr().err
    for part in ("$0.0610 for 2 calls", "--yes", "--max-usd 0.07", "max_usd=0.07", "consent_usd"):
        assert part in said
    assert run_cli(["run", str(config), "--max-usd", "0.07"]) == 0
    assert server.count() == 2


@pytest.mark.parametrize("amount", [-1.0, math.nan, 2.0])
def test_a_consent_that_makes_no_sense_is_bad_input(
    tmp_path: Path, serve: Serve, amount: float
) -> None:
    server = serve()
    config = declare(tmp_path, max_usd=1.0)
    with pytest.raises(ConfigError, match="consent to spend"):
        api.run(config, max_usd=amount)
    assert server.count() == 0


def test_a_model_without_a_price_needs_a_price_or_a_word(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    # The same server under a name that is not a loopback address: somebody may send a bill.
    monkeypatch.setattr("itemeval_assets.core.money.pricing.is_local", lambda *_: False)

    def of(folder: str, **budget: float) -> Path:
        return write_study(
            tmp_path / folder,
            models=["openai-api/test/m"],
            graders=[],
            items=2,
            extra={"budget": budget},
        )

    with pytest.raises(ConsentMissing, match="no price is known for openai-api/test/m"):
        api.run(of("uncapped"), max_usd=100)
    with pytest.raises(ConfigError, match=r"budget\.max_usd cannot be enforced"):
        api.run(of("capped", max_usd=10), max_usd=math.inf)
    assert server.count() == 0
    summary = api.run(of("uncapped"), max_usd=math.inf)
    assert server.count() == 2 and summary.unpriced == ["openai-api/test/m"]


def test_in_dagster_a_refusal_is_a_failure_with_figures_and_a_tag_consents(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    study = load_study(declare(tmp_path, confirm_above_usd=0.01))
    with runs_of(study) as runs:
        assert runs.run(["items"]).success
        refused = runs.run(SOLUTIONS, span=study.generate_partitions())
        event = next(e for e in refused.all_node_events if e.is_step_failure)
        failure = event.step_failure_data.user_failure_data
        assert failure is not None and event.step_failure_data.error is not None
        figures = {name: value.value for name, value in failure.metadata.items()}
        assert figures["exit_code"] == 3
        assert figures["projected_usd"] == pytest.approx(0.061, rel=0.01)
        assert figures["calls"] == 2 and figures["spent_usd"] == 0
        assert server.count() == 0
        agreed = runs.run(
            SOLUTIONS,
            span=study.generate_partitions(),
            tags={"itemeval_assets/consent_usd": "0.07"},
        )
        assert agreed.success and server.count() == 2
        nonsense = runs.run(
            SOLUTIONS,
            span=study.generate_partitions(),
            tags={"itemeval_assets/consent_usd": "a lot"},
        )
        assert "is no amount of USD" in message(nonsense)


@pytest.mark.parametrize("has_ended", [True, False])
def test_a_run_that_dagster_executes_again_reserves_for_itself(
    tmp_path: Path, serve: Serve, has_ended: bool
) -> None:
    """It has the tags of the first run, also that of the reservation of its command: which has
    ended, or is still at work on something else."""
    serve()
    study = load_study(declare(tmp_path, confirm_above_usd=1))
    reservations = Reservations(open_store(study))
    command = nullcontext() if has_ended else reservations.held("the-command")
    with runs_of(study) as runs, command:
        assert runs.run(["items"]).success
        tags = {RESERVED_BY_TAG: "the-command"}
        if not has_ended:
            reservations.reserve("the-command", 0.5, lambda _: None)
            tags["dagster/parent_run_id"] = "the-first-run"
        again = runs.run(SOLUTIONS, span=study.generate_partitions(), tags=tags)
        assert reservations.amounts() == ({} if has_ended else {"the-command": 0.5})
    assert again.success
    [log] = {row["log_file"] for row in rows(study.config_path, "solutions")}
    facts = read_log(results_dir(study.config_path) / log).eval.metadata or {}
    assert facts["reserved_by"] == again.run_id


def test_four_runs_at_once_under_a_cap_that_admits_two(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=1.0))
    prompts = ["p1", "p2", "p3", "p4"]

    def with_cap(cap: float | None) -> Path:
        return write_study(
            tmp_path,
            models=["openai-api/test/m"],
            prompts=prompts,
            graders=[],
            items=3,
            solvers=SOLVERS,
            extra={
                "cache": False,
                "budget": {"pricing_path": write_prices(tmp_path, "m"), "max_usd": cap},
            },
        )

    study = load_study(with_cap(None))
    each = api.estimate(study).remaining.usd / 4
    config = with_cap(2.5 * each)
    api.status(config)
    outputs = [tmp_path / f"{number}.txt" for number in range(4)]
    started = [
        Command("run", config, "--condition", condition.id, output=output)
        for condition, output in zip(study.design.generate, outputs, strict=True)
    ]
    ended = [process.wait() for process in started]
    said = [output.read_text() for output in outputs]
    codes = sorted(ended)
    assert set(codes) <= {0, 4} and codes.count(0) >= 2, said
    spent = sum(row["usd"] for row in rows(config, "ledger"))
    assert spent <= 2.5 * each
    assert server.count() == 3 * codes.count(0)
    assert json.loads((results_dir(config) / "reservations.json").read_text()) == {}
    refused = [text for text, code in zip(said, ended, strict=True) if code == 4]
    assert all("over budget.max_usd" in text for text in refused)


@pytest.mark.parametrize(("answer", "code", "calls"), [("y", 0, 2), ("n", 3, 0), ("", 3, 0)])
def test_in_a_terminal_a_typed_answer_is_consent(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    calls: int,
) -> None:
    server = serve()
    config = declare(tmp_path, confirm_above_usd=0.01)
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def typed(prompt: object, **options: object) -> bool:
        asked.append(str(prompt))
        return answer == "y"

    monkeypatch.setattr("itemeval_assets.report.terminal.Confirm.ask", typed)
    assert run_cli(["run", str(config)]) == code
    assert asked == ["Spend up to $0.0610?"]
    assert server.count() == calls
