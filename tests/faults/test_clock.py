"""Clocks that go backwards, during a run and between runs, and those of other machines."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets.core.tables.schemas import SOLUTIONS
from itemeval_assets.core.tables.upsert import upsert
from itemeval_assets.engine import rows as logs
from itemeval_assets.stages import ledger
from itemeval_assets.stages.calls import manifests
from itemeval_assets.stages.items import loading, pins
from itemeval_assets.storage.locking.leases import LIFETIME_S, _age_s
from tests.model_server import Behaviour
from tests.rows import solution, table
from tests.whole.conftest import Serve
from tests.whole.looking import assert_reconciled, rows

from .conftest import Report
from .study_runs import TIMES, Loss, declare, loss_of, run_stages

ITEMS = 3


def set_back(patch: pytest.MonkeyPatch, by: Callable[[], timedelta]) -> None:
    """Every stamp of ours, and every one of a log, is early by so much."""
    whole = logs.utc

    def stamp() -> str:
        return (datetime.now(UTC) - by()).strftime("%Y-%m-%dT%H:%M:%SZ")

    def utc(given: str | None) -> str | None:
        shown = whole(given)
        if shown is None:
            return None
        moment = datetime.fromisoformat(shown) - by()
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    for module in (loading, pins, ledger, manifests):
        patch.setattr(module, "now", stamp)
    patch.setattr(logs, "utc", utc)


def test_a_clock_that_goes_back_between_runs_loses_no_better_row(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, report_fault: Report
) -> None:
    """Promised: an answer that is stamped before the error it follows still replaces it, and a
    later failure with any stamp never replaces an answer; the ledger reconciles."""
    total = Loss()
    for number in range(TIMES):
        server = serve(models={"m": Behaviour(permanent=1.0)})
        config = declare(tmp_path / str(number), items=ITEMS)
        run_stages(config)
        server.models = {}
        with monkeypatch.context() as patch:
            set_back(patch, lambda: timedelta(days=400))
            run_stages(config)
        found = rows(config, "solutions")
        assert all(row["error"] is None for row in found) and len(found) == ITEMS
        assert all(row["created_at"] < "2026" or row["created_at"][:4] for row in found)
        server.reset_counts()
        run_stages(config)
        assert server.count() == 0
        assert_reconciled(config)
        total += Loss(rows=3 * ITEMS - len(found) - len(rows(config, "gradings")))
        shutil.rmtree(tmp_path / str(number))
    report_fault(
        "clock set back between runs",
        "the better row stays; nothing is called again; reconciled",
        injected=TIMES,
        loss=total,
    )


def test_a_clock_that_jumps_at_every_look(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, report_fault: Report
) -> None:
    """Promised: a run whose clock goes back and forth, time.time() included, is complete."""
    server, looks, whole = serve(), [0], time.time
    config = declare(tmp_path, items=ITEMS)

    def jump() -> timedelta:
        looks[0] += 1
        return timedelta(days=(-1) ** looks[0] * looks[0])

    with monkeypatch.context() as patch:
        set_back(patch, jump)
        patch.setattr(time, "time", lambda: whole() + jump().total_seconds())
        run_stages(config)
    run_stages(config)
    assert_reconciled(config)
    assert looks[0] > 0
    report_fault(
        "clock jumps during a run",
        "the run is complete; reconciled",
        injected=looks[0],
        loss=loss_of(config, server, items=ITEMS),
    )


@pytest.mark.parametrize("stamp", ["2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_rows_are_newer_by_when_they_arrive_not_by_their_stamp(stamp: str) -> None:
    stored = table("solutions", [solution("q1", text="old", sample_uuid="a")])
    arrived = solution("q1", text="new", sample_uuid="b", created_at=stamp)
    failed = solution("q1", text=None, error="no", sample_uuid="c", created_at=stamp)
    merged = upsert(SOLUTIONS, stored, table("solutions", [arrived])).rows
    assert merged["solution"].to_pylist() == ["new"]
    assert upsert(SOLUTIONS, merged, table("solutions", [failed])).rows.equals(merged)


def test_the_age_of_a_lease_is_told_by_the_server_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    written = datetime(2026, 1, 1, tzinfo=UTC)

    def head(later_s: float) -> dict[str, Any]:
        told = (written + timedelta(seconds=later_s)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return {"LastModified": written, "ResponseMetadata": {"HTTPHeaders": {"date": told}}}

    for jump_s in (-1e9, 0.0, 1e9):
        monkeypatch.setattr(time, "time", lambda jump_s=jump_s: jump_s)
        assert _age_s(head(5)) == 5 < LIFETIME_S < _age_s(head(61)) == 61
