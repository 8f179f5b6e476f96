"""An eval that inspect cannot log to its end fails its run; what it cost is booked."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log._recorders.eval import EvalRecorder

from itemeval_assets.cli.main import run_cli
from tests.model_server import Behaviour
from tests.studies import write_study
from tests.whole.conftest import Serve
from tests.whole.looking import rows, write_prices

from .study_runs import assert_books_agree, loss_of

CONNECTIONS = 4
# Above 400 calls a log is written at every hundredth of them, below at each.
LARGE, SMALL = 440, 8
WHY = "the log takes no more"


def broken_at(model: str, item: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let inspect fail as it puts this sample of a model into its log; null: any sample."""
    whole = EvalRecorder.log_sample

    async def log_sample(self: Any, eval: Any, sample: Any, **options: Any) -> None:
        if eval.model.endswith(f"/{model}") and (
            item is None or sample.metadata.get("item_id", sample.id) == item
        ):
            raise ValueError(WHY)
        await whole(self, eval, sample, **options)

    monkeypatch.setattr(EvalRecorder, "log_sample", log_sample)


def declare(folder: Path, items: int, output_dir: str | None = None) -> Path:
    return write_study(
        folder,
        models=["openai-api/test/m", "openai-api/test/n"],
        graders=["openai-api/test/judge"],
        items=items,
        solvers={"max_tokens": 100, "max_connections": CONNECTIONS},
        extra={
            "cache": False,
            "budget": {"pricing_path": write_prices(folder, "m", "n", "judge"), "max_usd": 500},
            **({"output_dir": output_dir} if output_dir else {}),
        },
    )


# All of them in `make faults`.
CASES = [
    ("m", SMALL, "disk"),
    ("judge", SMALL, "disk"),
    ("m", SMALL, "bucket"),
    ("m", LARGE, "disk"),
    ("judge", SMALL, "bucket"),
]


@pytest.mark.parametrize(
    ("model", "items", "place"), CASES if "TEST_ROUNDS" in os.environ else CASES[:1]
)
def test_a_log_that_breaks_fails_the_run_and_its_calls_are_booked(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: Any,
    model: str,
    items: int,
    place: str,
) -> None:
    server = serve(Behaviour(latency_s=0.02))
    bucket = request.getfixturevalue("s3_location") if place == "bucket" else None
    config = declare(tmp_path, items, bucket)
    with monkeypatch.context() as patch:
        broken_at(model, "q3", patch)
        for asked in ([], ["--force"] if items == SMALL else []):  # the first run, and a later one
            assert run_cli(["run", str(config), "--json", "--yes", *asked]) == 1
            printed = capsys.readouterr()
            said = json.loads(printed.out)["message"]
            assert said in printed.err and WHY in said
            assert f"the calls of {'m · short: ' if model == 'm' else ''}" in said
            assert_books_agree(config)
    for _ in range(2):
        assert run_cli(["run", str(config), "--yes"]) == 0
    # Nobody has read the answers of calls that were in flight as the log broke.
    dearest = max(row["usd"] for table in ("solutions", "gradings") for row in rows(config, table))
    times = 1 if items == LARGE else 2
    assert loss_of(config, server, items=items).usd <= times * CONNECTIONS * dearest
    replaced = [row["item_id"] for row in rows(config, "replaced")]
    assert "(unlogged)" in replaced
    assert len(rows(config, "solutions")) == 2 * items
    made = server.count()
    assert run_cli(["recover", str(config)]) == run_cli(["export", str(config)]) == 0
    assert server.count() == made
    assert_books_agree(config)


@pytest.mark.long
def test_a_preflight_that_cannot_be_logged_is_no_verdict_and_is_booked(
    tmp_path: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = serve()
    config = declare(tmp_path, SMALL)
    with monkeypatch.context() as patch:
        broken_at("m", None, patch)
        run_cli(["preflight", str(config), "--json"])
    found = {health["model"]: health for health in json.loads(capsys.readouterr().out)}
    ill = found["openai-api/test/m"]
    assert ill["verdict"] == "unverified" and WHY in ill["reason"]
    assert found["openai-api/test/n"]["verdict"] == "ok"
    assert server.count() == 3
    booked = sum(row["usd"] for row in rows(config, "ledger"))
    assert booked == pytest.approx(sum(health["usd"] for health in found.values())) and ill["usd"]
    assert_books_agree(config)
    assert run_cli(["run", str(config), "--yes"]) == 0
