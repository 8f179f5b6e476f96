"""A process is killed whose logs lag behind its calls: what they cost is in the ledger."""

import os
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log._recorders.eval import EvalRecorder

from itemeval_assets import api
from itemeval_assets.cli.main import main, run_cli
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.store import open_store
from tests.commands import Program
from tests.model_server import Behaviour, ModelServer
from tests.studies import write_study
from tests.whole.conftest import Serve
from tests.whole.looking import judge_calls, rows, write_prices

from .study_runs import assert_books_agree, loss_of

CONNECTIONS = 4
# Above 400 calls a log is written at every hundredth of them, below at each.
LARGE, SMALL = 420, 24
ANSWERED = 12


def run_with_logs_that_lag() -> None:
    """The command line, with logs that hold no sample before their eval ends."""

    whole = EvalRecorder.flush

    async def flush(self: Any, eval: Any) -> None:
        if not self.destination_written(eval):
            await whole(self, eval)

    EvalRecorder.flush = flush  # type: ignore[method-assign]
    main()


def declare(folder: Path, items: int, cache: bool, place: str | None) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m"],
        graders=["openai-api/test/judge"],
        items=items,
        solvers={"max_tokens": 100, "max_connections": CONNECTIONS},
        extra={
            "cache": cache,
            "budget": {"pricing_path": write_prices(folder, "m", "judge"), "max_usd": 500},
            **({"output_dir": place} if place else {}),
        },
    )


def killed(config: Path, server: ModelServer, stage: str, workers: int = 1) -> None:
    """Begin a run, and kill it once enough calls of a stage are answered."""

    def answered() -> int:
        judged = judge_calls(server.requests)
        return judged if stage == "gradings" else server.count() - judged

    asked = ["run", config, "--yes", "--workers", str(workers)]
    output = config.with_suffix(".output")
    process = Program(f"{__name__}:run_with_logs_that_lag", *asked, output=output)
    process.wait_until(lambda: answered() >= ANSWERED + CONNECTIONS)
    process.kill()
    process.wait()


# All of them in `make faults`.
CASES = [
    ("solutions", SMALL, True, "disk", 1),
    ("gradings", SMALL, False, "disk", 1),
    ("solutions", SMALL, True, "bucket", 1),
    ("solutions", SMALL, True, "disk", 2),
    ("gradings", SMALL, True, "disk", 1),
    ("solutions", SMALL, False, "disk", 1),
    ("gradings", SMALL, True, "bucket", 2),
    ("solutions", LARGE, True, "disk", 1),
    ("gradings", LARGE, True, "disk", 1),
]


@pytest.mark.parametrize(
    ("stage", "items", "cache", "place", "workers"),
    CASES if "TEST_ROUNDS" in os.environ else CASES[:1],
)
def test_replies_that_no_log_has_are_in_the_ledger(
    tmp_path: Path,
    serve: Serve,
    request: Any,
    stage: str,
    items: int,
    cache: bool,
    place: str,
    workers: int,
) -> None:
    server = serve(Behaviour(latency_s=0.1))
    location = request.getfixturevalue("s3_location") if place == "bucket" else None
    config = declare(tmp_path, items, cache, location)

    killed(config, server, stage, workers)
    unread = sum(log.usd or 0.0 for log in api.status(config).unread)
    assert run_cli(["recover", str(config)]) == 0
    booked = sum(row["usd"] or 0.0 for row in rows(config, "ledger"))
    if workers == 1:  # a worker whose command is killed ends its logs first
        assert "(unlogged)" in {row["item_id"] for row in rows(config, "replaced")}
    if stage == "solutions" and workers == 1:
        assert sum(row["calls"] for row in rows(config, "ledger")) >= ANSWERED
        assert rows(config, "solutions") == []
        # What has not reached the bucket is known once somebody takes it there.
        assert unread == pytest.approx(0.0 if location else booked)
    assert not [key for key in open_store(load_study(config)).backend.list("") if "usage" in key]
    assert_books_agree(config)
    made = server.count()
    assert run_cli(["run", str(config), "--yes"]) == 0
    dearest = max(
        row["usd"] or 0 for name in ("solutions", "gradings") for row in rows(config, name)
    )
    loss = loss_of(config, server, items=items, in_flight=CONNECTIONS)
    assert loss.rows == 0 and loss.usd <= CONNECTIONS * dearest
    if cache:
        assert loss.calls_repeated == 0
        assert server.count() - made <= 3 * items - ANSWERED
    assert_books_agree(config)


@pytest.mark.long
def test_damaged_notes_are_named_and_stop_every_command_that_spends(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(Behaviour(latency_s=0.1))
    config = declare(tmp_path, SMALL, True, None)
    killed(config, server, "solutions")
    [notes] = tmp_path.rglob("*.usage.jsonl")
    whole = notes.read_bytes()
    notes.write_bytes(b"{}\n" + whole)
    made = server.count()
    for command in (["run", "--yes"], ["recover"], ["run", "--yes", "--json"]):
        capsys.readouterr()
        assert run_cli([command[0], str(config), *command[1:]]) == 2
        said = capsys.readouterr().err
        assert str(notes) in said and "remove it to go on" in said
    assert run_cli(["status", str(config)]) == 0
    assert str(notes) in capsys.readouterr().out
    assert server.count() == made and notes.read_bytes() == b"{}\n" + whole
    [log] = tmp_path.rglob("logs/running/*.eval")
    moved = log.rename(tmp_path / log.name)
    assert run_cli(["status", str(config)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{notes.name} has the tokens of calls whose log is gone" in said
    assert "Recover them" not in said
    moved.rename(log)
    notes.unlink()
    assert run_cli(["run", str(config), "--yes"]) == 0
    assert_books_agree(config)
