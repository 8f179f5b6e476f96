"""Celery's pool of processes, which has a new one soon after another has ended.

Each process runs one task. Celery hears of its end a moment before the system does, and then looks
again only after five seconds, in which the worker runs less than it could.
"""

from collections.abc import Callable

from celery.concurrency import asynpool, prefork

__all__ = ["TaskPool"]

_LOOK_EVERY_S = 0.5


class _Pool(asynpool.AsynPool):
    @property
    def timers(self) -> dict[Callable[[], None], float]:
        return {self.maintain_pool: _LOOK_EVERY_S}


class TaskPool(prefork.TaskPool):
    """Celery's usual pool, with short pauses."""

    Pool = _Pool
