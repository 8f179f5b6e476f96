"""The daemon looks at backfills every few seconds, where Dagster's own does every 30."""

import logging
from typing import Any

import pytest
from dagster._daemon import backfill, controller

from itemeval_assets.ui.daemon import BACKFILL_EVERY_S, look_at_backfills_often


class _Ended(Exception):
    pass


class _Event:
    """What Dagster's loop waits for between two looks."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        raise _Ended


def pause_s(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(backfill, "execute_backfill_iteration", lambda *_, **__: iter(()))
    event: Any = _Event()
    context: Any = None
    with pytest.raises(_Ended):
        list(backfill.execute_backfill_iteration_loop(context, logging.getLogger(), event))
    return event.waits[0]


def test_backfills_are_looked_at_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "DEFAULT_DAEMON_INTERVAL_SECONDS", 30)
    assert pause_s(monkeypatch) > BACKFILL_EVERY_S
    look_at_backfills_often()
    assert 0 < pause_s(monkeypatch) <= BACKFILL_EVERY_S
