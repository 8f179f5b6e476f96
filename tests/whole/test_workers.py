"""Several workers for one run: the same rows, one progress, one summary, and no call twice."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from itemeval_assets import api
from itemeval_assets.core.errors import ConfigError, ConsentMissing, RunFailed
from tests.model_server import Behaviour
from tests.studies import write_study

from .conftest import Serve
from .looking import assert_reconciled, cells, rows, write_prices

MODELS = ["openai-api/test/m", "openai-api/test/n"]


def declare(folder: Path, **options: Any) -> Path:
    given = {"models": MODELS, "graders": ["openai-api/test/judge"], "items": 6, **options}
    extra = {"cache": False, **given.pop("extra", {})}
    return write_study(folder, **given, extra=extra)


def test_workers_share_a_run(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.1))
    config = declare(tmp_path)
    seen: list[tuple[str, int, int]] = []
    summary = api.run(
        config,
        workers=2,
        on_progress=lambda found: seen.append((found.stage, found.done, found.total)),
    )
    assert server.count() == summary.calls == 24
    assert (summary.errored, summary.failed_checks) == (0, [])
    assert len(cells(rows(config, "solutions"))) == 6 and len(rows(config, "solutions")) == 12
    assert len(rows(config, "gradings_long")) == 24 == summary.export.rows
    assert {stage for stage, *_ in seen} == {"generate", "grade"}
    assert ("generate", 12, 12) in seen and ("grade", 12, 12) in seen
    assert len({row["run_id"] for row in rows(config, "solutions")}) == 2
    assert_reconciled(config)
    again = api.run(config, workers=2)
    assert again.calls == 0 and server.count() == 24


def test_a_limit_of_connections_holds_for_all_workers_together(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=8, graders=[], solvers={"max_connections": 2})
    api.run(config, workers=2)
    assert server.count() == 16
    assert server.most_at_once() <= 2


def test_a_refusal_of_the_gate_is_one_error(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    budget = {"pricing_path": write_prices(tmp_path, "m", "n", "judge"), "confirm_above_usd": 0.01}
    config = declare(tmp_path, extra={"budget": budget})
    with pytest.raises(ConsentMissing, match="needs your consent"):
        api.run(config, workers=2)
    assert server.count() == 0


def test_a_worker_that_dies_ends_the_run_and_the_next_goes_on(tmp_path: Path, serve: Serve) -> None:
    server = serve(Behaviour(latency_s=0.3))
    config = declare(tmp_path, items=40, graders=[], solvers={"max_connections": 4})

    def kill_one() -> None:
        deadline = time.monotonic() + 120
        while server.count() < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        worker = next(
            child
            for child in psutil.Process().children()
            if "itemeval_assets.workers" in child.cmdline()
        )
        os.kill(worker.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    with pytest.raises(RunFailed, match="ended with exit code -9"):
        api.run(config, workers=2)
    killer.join()
    assert not [c for c in psutil.Process().children() if "itemeval_assets.workers" in c.cmdline()]
    made = server.count()
    summary = api.run(config, workers=2)
    stored = rows(config, "solutions")
    assert len(stored) == 80 and not any(row["error"] for row in stored)
    assert summary.recovered > 0 and server.count() <= 80 + 4
    assert made < 80
    assert_reconciled(config)


def test_no_worker_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one process"):
        api.run(declare(tmp_path), workers=0)
