"""Batches outlive their process: what was sent is collected, and nothing is sent twice."""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import BudgetExceeded, ItemevalAssetsError, Stopped, StoreError
from itemeval_assets.engine.calls.batches.keeper import Keeper
from itemeval_assets.stages.calls import making
from itemeval_assets.storage.study.batches import KeptBatches
from tests.model_answers import usual_answer
from tests.model_batches import Unheard
from tests.model_server import Behaviour, ModelServer
from tests.studies import write_study

from .batch_runs import run_killed, started
from .conftest import Serve
from .looking import PRICE, assert_reconciled, results_dir, rows
from .test_batch import BATCHED, TICK_S, be_openai, declare

ITEMS = 3
CACHED = {"cache": True, "budget": {"pricing_path": "prices.json"}}
# (step of the server, how often it comes to it): the first batch is of answers, the second of
# verdicts.
SHORT = [("created", 1), ("retrieve", 1)]
LONG = [
    ("upload", 1),
    ("uploaded", 1),
    ("create", 1),
    ("retrieve", 3),
    ("content", 1),
    ("upload", 2),
    ("uploaded", 2),
    ("created", 2),
    ("content", 2),
]


@pytest.fixture
def openai(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    return be_openai(serve(), monkeypatch)


def kept(config: Path) -> list[dict[str, Any]]:
    folder = results_dir(config) / "batches"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def assert_sent_once(config: Path, server: ModelServer) -> None:
    """Each question was sent once, each answer is in a row and paid once; none is waited for."""
    sent = Counter((request.model, request.prompt) for request in server.requests)
    assert set(sent.values()) == {1}
    paid = [row["total_tokens"] for row in (*rows(config, "solutions"), *rows(config, "gradings"))]
    assert all(paid)
    assert len(paid) == server.count()
    assert sum(row["total_tokens"] or 0 for row in rows(config, "ledger")) == sum(paid)
    assert_reconciled(config)
    assert kept(config) == []


def interrupt(config: Path, server: ModelServer) -> None:
    """Run the solutions, and end the run by Ctrl-C, twice, while it waits for its batch."""
    pressed: list[str] = []

    def press(at: str) -> None:
        if at == "retrieve" and len(pressed) < 2:
            pressed.append(at)
            os.kill(os.getpid(), signal.SIGINT)

    server.batches.on_step, server.batches.is_held = press, True
    with pytest.raises(Stopped):
        api.run(config, only="solutions")
    server.batches.on_step, server.batches.is_held = lambda at: None, False


@pytest.mark.parametrize(
    ("step", "times"),
    [*SHORT, *(pytest.param(*point, marks=pytest.mark.long) for point in LONG)],
)
def test_a_killed_run_goes_on_and_nothing_is_sent_twice(
    tmp_path: Path, openai: ModelServer, step: str, times: int
) -> None:
    openai.batches.seconds = 3 * TICK_S
    config = declare(tmp_path, items=ITEMS)
    run_killed(config, openai, step, times)
    api.run(config)
    assert len(rows(config, "solutions")) == len(rows(config, "gradings")) == ITEMS
    assert not any(row["error"] for row in rows(config, "solutions"))
    assert openai.count() == 2 * ITEMS
    assert_sent_once(config, openai)


def test_calls_that_come_while_a_batch_is_looked_up_join_it_too(
    tmp_path: Path, openai: ModelServer
) -> None:
    """The calls of a second condition come a moment later than those of the first."""
    openai.batches.seconds = 3 * TICK_S
    prompts = ["short", "long"]
    config = declare(tmp_path, items=ITEMS, prompts=prompts)
    run_killed(config, openai, "created", 1)
    api.run(config, only="solutions")
    assert openai.count() == 2 * ITEMS == len(rows(config, "solutions"))
    assert kept(config) == []
    assert_sent_once(config, openai)


def test_nothing_is_sealed_while_a_batch_waits(tmp_path: Path, openai: ModelServer) -> None:
    """Its calls were sent before, and no table has them."""
    sealed = {"hypotheses": ["a is better"], "decision": "by compare"}
    config = declare(tmp_path, items=ITEMS, extra={"seal": sealed})
    interrupt(config, openai)
    api.recover(config)
    assert len(kept(config)) == 1
    with pytest.raises(StoreError, match="not collected yet: 1; collect them by"):
        api.seal(config)


def test_status_shows_what_waits_and_the_budget_counts_it(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, items=ITEMS, solvers={"max_tokens": 100})
    most = api.estimate(config, only="solutions").remaining.usd
    interrupt(config, openai)
    assert not any(text in json.dumps(kept(config)) for text in ("sk-of-the-test", "Solve the"))
    [batch] = api.status(config).batches
    assert (batch.batch_id, batch.model, batch.calls) == (kept(config)[0]["id"], BATCHED, ITEMS)
    assert batch.usd == pytest.approx(most)
    assert (batch.unwanted, batch.is_collected_now, batch.problem) == (0, False, None)
    assert 0 <= batch.age_s < 60
    assert run_cli(["status", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["batches"][0]["batch_id"] == batch.batch_id
    assert run_cli(["status", str(config)]) == 0
    shown = capsys.readouterr().out
    assert f"not collected: {ITEMS}" in shown
    assert str(batch.batch_id) in shown
    assert "itemeval-assets run" in shown
    found = api.estimate(config, only="solutions")
    assert (found.reserved_usd, found.waiting_usd) == (0.0, pytest.approx(most))
    # Another condition may cost what is left; these calls are counted once.
    two = config.read_text().replace("max_usd: null", "")
    config.write_text(two.replace("budget:", f"budget:\n  max_usd: {most * 1.01}"))
    api.run(config, only="solutions", max_usd=most * 1.01)
    assert api.status(config).batches == []
    assert_sent_once(config, openai)


def test_status_shows_what_is_expected_once_calls_tell(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    limited = {"max_tokens": 100}
    config = declare(tmp_path, items=ITEMS, solvers=limited)
    interrupt(config, openai)
    [batch] = api.status(config).batches
    assert batch.expected_usd is None
    api.run(config, only="solutions")
    declare(tmp_path, items=ITEMS, solvers=limited, replications=2)
    foreseen = api.estimate(config, only="solutions").remaining
    interrupt(config, openai)
    [batch] = api.status(config).batches
    assert foreseen.expected_usd and batch.expected_usd
    # The estimate rounds the tokens of all calls in sum.
    assert batch.expected_usd == pytest.approx(foreseen.expected_usd, rel=0.05)
    assert batch.expected_usd < batch.usd == pytest.approx(foreseen.usd)
    capsys.readouterr()
    assert run_cli(["status", str(config)]) == 0
    assert f" expected: {batch.batch_id} of" in capsys.readouterr().out
    assert run_cli(["status", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["batches"][0]
    assert told["expected_usd"] == batch.expected_usd


def test_a_batch_whose_making_was_not_heard_is_not_made_again(
    tmp_path: Path, openai: ModelServer
) -> None:
    broken: list[str] = []

    def break_once(at: str) -> None:
        if at == "created" and not broken:
            broken.append(at)
            raise Unheard

    openai.batches.on_step = break_once
    config = declare(tmp_path, items=ITEMS)
    api.run(config, only="solutions")
    assert broken
    assert openai.batches.sizes == [ITEMS]
    assert_sent_once(config, openai)


@pytest.mark.parametrize("method", ["change", pytest.param("keep", marks=pytest.mark.long)])
def test_what_cannot_be_stored_is_not_sent(
    tmp_path: Path, openai: ModelServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def full(*arguments: object) -> None:
        raise StoreError("the disk is full")

    config = declare(tmp_path, items=ITEMS)
    with monkeypatch.context() as broken:
        broken.setattr(KeptBatches, method, full)
        with pytest.raises(ItemevalAssetsError, match="the disk is full"):
            api.run(config, only="solutions")
    assert openai.count() == 0
    api.run(config, only="solutions")
    assert_sent_once(config, openai)


def test_a_batch_that_is_refused_is_not_waited_for(tmp_path: Path, openai: ModelServer) -> None:
    def refuse(at: str) -> None:
        if at == "create":
            raise ValueError("no such endpoint")

    openai.batches.on_step = refuse
    config = declare(tmp_path, items=ITEMS)
    with pytest.raises(ItemevalAssetsError, match="no such endpoint"):
        api.run(config, only="solutions")
    assert kept(config) == []
    openai.batches.on_step = lambda at: None
    api.run(config, only="solutions")
    assert_sent_once(config, openai)


def test_a_run_that_dies_before_it_forgets_what_it_has_collected(
    tmp_path: Path, openai: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: object) -> None:
        raise StoreError("the process is gone")

    config = declare(tmp_path, items=ITEMS)
    with monkeypatch.context() as broken:
        broken.setattr(making, "forget_collected", die)
        with pytest.raises(StoreError, match="is gone"):
            api.run(config, only="solutions")
    assert len(kept(config)) == 1
    api.run(config, only="solutions")
    assert_sent_once(config, openai)


@pytest.mark.parametrize(
    ("end", "unanswered"),
    [
        ("expired", 1),
        pytest.param("expired", ITEMS, marks=pytest.mark.long),
        pytest.param("cancelled", ITEMS, marks=pytest.mark.long),
    ],
)
def test_an_expired_batch_frees_its_cells(
    tmp_path: Path, openai: ModelServer, end: str, unanswered: int
) -> None:
    openai.batches.ends_as, openai.batches.unanswered = end, unanswered
    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    api.run(config, only="solutions")
    errors = [row["error"] for row in rows(config, "solutions") if row["error"]]
    assert len(errors) == unanswered
    assert set(errors) == {f"[batch_{end}] This call was not made."}
    assert kept(config) == []
    openai.batches.ends_as = "completed"
    api.run(config, only="solutions")
    assert not any(row["error"] for row in rows(config, "solutions"))
    assert_sent_once(config, openai)


def test_a_batch_that_ends_without_a_file_frees_its_cells(
    tmp_path: Path, openai: ModelServer
) -> None:
    openai.batches.ends_as, openai.batches.has_files = "expired", False
    openai.batches.unanswered = ITEMS
    config = declare(tmp_path, items=ITEMS)
    api.run(config, only="solutions")
    errors = {row["error"] for row in rows(config, "solutions")}
    assert errors == {"the batch failed: [expired] it has ended without answers"}
    assert kept(config) == []


def test_a_batch_that_the_key_does_not_see_is_told_and_not_sent_again(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    openai.batches.unseen = {kept(config)[0]["id"]}
    api.run(config, only="solutions")
    errors = {row["error"] for row in rows(config, "solutions")}
    assert len(errors) == 1
    assert str(kept(config)[0]["id"]) in (message := errors.pop() or "")
    assert "does not show it to the API key in use" in message
    [batch] = api.status(config).batches
    assert batch.problem
    assert openai.count() == ITEMS
    # The key of before again.
    openai.batches.unseen = set()
    api.run(config, only="solutions")
    assert not any(row["error"] for row in rows(config, "solutions"))
    assert_sent_once(config, openai)


def test_a_batch_is_given_up_and_its_cost_goes_on_to_count(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    openai.batches.unseen = {kept(config)[0]["id"]}
    api.run(config, only="solutions")
    api.recover(config, accept_loss=True)
    assert api.status(config).batches == []
    api.run(config, only="solutions")
    assert not any(row["error"] for row in rows(config, "solutions"))
    assert openai.count() == 2 * ITEMS
    assert api.estimate(config).reserved_usd > 0


def test_calls_that_no_cell_wants_any_more_are_told_and_counted(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    prompt = tmp_path / "prompts" / "solver" / "short.md"
    prompt.write_text(f"Be brief.\n{prompt.read_text()}")
    [batch] = api.status(config).batches
    assert batch.unwanted == ITEMS
    assert run_cli(["run", str(config), "--only", "solutions", "--yes"]) == 0
    assert "No cell waits any more for 3 calls" in capsys.readouterr().out
    assert api.estimate(config).reserved_usd == pytest.approx(batch.usd)
    most = api.estimate(config).spent_usd + batch.usd
    with pytest.raises(BudgetExceeded, match="in batches that are not collected"):
        config.write_text(config.read_text().replace("budget:", f"budget:\n  max_usd: {most}"))
        api.run(config, max_usd=most)
    api.recover(config, accept_loss=True)
    assert api.status(config).batches == []
    assert api.estimate(config).reserved_usd == pytest.approx(batch.usd)


def billed_usd(server: ModelServer) -> float:
    """What the answers of the server cost by what it has said of them, at the price of a batch."""
    usd = 0.0
    for request in server.requests:
        used = json.loads(usual_answer(request, Behaviour()).body)["usage"]
        usd += used["prompt_tokens"] * PRICE["input_usd_per_mtok"] / 2e6
        usd += used["completion_tokens"] * PRICE["output_usd_per_mtok"] / 2e6
    return usd


@pytest.mark.parametrize("changed", [1, pytest.param(ITEMS, marks=pytest.mark.long)])
def test_an_item_that_changed_is_asked_anew(
    tmp_path: Path, openai: ModelServer, changed: int
) -> None:
    """What the provider bills for the old question is in the ledger, and in no row."""
    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    items = tmp_path / "items.jsonl"
    for n in range(1, changed + 1):
        items.write_text(items.read_text().replace(f"{n} + {n}", f"{n} + {n}0", 1))
    api.run(config, only="solutions", accept_changes=True)
    assert openai.count() == ITEMS + changed
    assert len(rows(config, "solutions")) == ITEMS
    assert not any(row["error"] for row in rows(config, "solutions"))
    assert api.status(config).batches == kept(config) == []
    booked = rows(config, "ledger")
    assert sum(row["usd"] for row in booked) == pytest.approx(billed_usd(openai))
    assert all(row["batch"] for row in booked)
    assert_reconciled(config)
    assert api.status(config).lost == [] and api.estimate(config).reserved_usd == 0
    assert api.run(config, only="solutions").calls == 0


@pytest.mark.long
def test_what_is_fetched_of_an_old_item_is_booked_once_whatever_dies(
    tmp_path: Path, openai: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log is there, and its line too, until the line is forgotten."""

    def die(*arguments: object) -> None:
        raise StoreError("the process is gone")

    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    items = tmp_path / "items.jsonl"
    items.write_text(items.read_text().replace("1 + 1", "1 + 10", 1))
    with monkeypatch.context() as broken:
        broken.setattr(Keeper, "forget", die)
        with pytest.raises(StoreError, match="is gone"):
            api.run(config, only="solutions", accept_changes=True)
    assert api.run(config, only="solutions").calls == 0
    assert sum(row["usd"] for row in rows(config, "ledger")) == pytest.approx(billed_usd(openai))
    [batch] = api.status(config).batches
    assert (batch.calls, batch.unwanted) == (1, 1)
    # The cell is asked once more, and the line is met again.
    api.run(config, only="solutions", force=True, max_usd=10)
    assert api.status(config).batches == []
    assert sum(row["usd"] for row in rows(config, "ledger")) == pytest.approx(billed_usd(openai))
    assert_reconciled(config)
    assert api.status(config).lost == []


def test_a_damaged_record_is_told(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, items=ITEMS)
    folder = results_dir(config) / "batches"
    folder.mkdir(parents=True)
    (folder / "one.json").write_text('{"lines": {"a": 1}}')
    assert run_cli(["run", str(config), "--yes"]) != 0
    assert "one.json does not say what was sent in a batch" in capsys.readouterr().err
    assert openai.count() == 0


def test_what_is_in_a_batch_is_not_called_one_by_one(
    tmp_path: Path, openai: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    assert run_cli(["run", str(config), "--policy", "full-interactive", "--yes"]) == 2
    assert "were sent in batches" in capsys.readouterr().err
    assert openai.count() == ITEMS


def test_what_is_in_a_batch_is_not_taken_from_the_cache(
    tmp_path: Path, openai: ModelServer
) -> None:
    """It is paid, and is booked by whoever collects it."""
    config, other = (declare(tmp_path / name, items=ITEMS, extra=CACHED) for name in "ab")
    interrupt(config, openai)
    api.run(other, only="solutions")
    api.run(config, only="solutions")
    assert openai.count() == 2 * ITEMS
    assert all(row["usd"] for row in rows(config, "solutions"))
    assert kept(config) == []
    assert_reconciled(config)


CLAUDE = "anthropic/claude-haiku-4-5"


def declare_claude(folder: Path) -> Path:
    (folder / "prices.json").write_text(json.dumps({"models": {CLAUDE: PRICE}}))
    budget = {"pricing_path": "prices.json"}
    return write_study(
        folder,
        models=[CLAUDE],
        graders=[CLAUDE],
        scorer=None,
        items=ITEMS,
        policy="full-batch",
        solvers={"max_tokens": 100},
        extra={"cache": False, "budget": budget},
    )


@pytest.fixture
def anthropic(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    server = be_openai(serve(), monkeypatch)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url.removesuffix("/v1"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-the-test")
    return server


@pytest.mark.parametrize(
    ("step", "times"),
    [
        ("created", 1),
        *(
            pytest.param(*point, marks=pytest.mark.long)
            for point in (("create", 1), ("retrieve", 1), ("content", 1), ("created", 2))
        ),
    ],
)
def test_message_batches_of_anthropic_are_kept_too(
    tmp_path: Path, anthropic: ModelServer, step: str, times: int
) -> None:
    config = declare_claude(tmp_path)
    run_killed(config, anthropic, step, times)
    api.run(config)
    assert len(rows(config, "solutions")) == len(rows(config, "gradings")) == ITEMS
    assert not any(row["error"] for row in rows(config, "solutions"))
    assert anthropic.count() == 2 * ITEMS
    assert_sent_once(config, anthropic)


@pytest.mark.long
def test_two_runs_at_once_collect_a_batch_once(tmp_path: Path, openai: ModelServer) -> None:
    config = declare(tmp_path, items=ITEMS)
    interrupt(config, openai)
    both = [started("run", config, "--yes") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert openai.count() == 2 * ITEMS
    assert_sent_once(config, openai)


@pytest.mark.long
def test_two_workers_collect_what_one_process_sent(tmp_path: Path, openai: ModelServer) -> None:
    config = declare(tmp_path, items=ITEMS, prompts=["short", "long"])
    run_killed(config, openai, "retrieve")
    assert openai.count() == 2 * ITEMS
    api.run(config, workers=2)
    assert openai.count() == 4 * ITEMS
    assert_sent_once(config, openai)


@pytest.mark.long
def test_a_study_in_a_bucket_keeps_its_batches_there(
    tmp_path: Path, openai: ModelServer, s3_location: str
) -> None:
    config = declare(tmp_path, items=ITEMS)
    config.write_text(f"{config.read_text()}\noutput_dir: {s3_location}\n")
    run_killed(config, openai, "created")
    [batch] = api.status(config).batches
    assert batch.calls == ITEMS
    api.run(config)
    assert openai.count() == 2 * ITEMS
    assert api.status(config).batches == []
    assert_reconciled(config)
