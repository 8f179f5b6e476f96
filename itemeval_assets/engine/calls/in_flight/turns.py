"""Turns: of the calls that share a prefix, one goes first and the others wait for its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from inspect_ai._util.working import sample_wait


class Turns:
    """Warm, then fan out: shared by all Tasks of a run. The wait is no working time."""

    def __init__(self) -> None:
        self._first_done: dict[str, anyio.Event] = {}

    @asynccontextmanager
    async def turn(self, prefix: str | None) -> AsyncIterator[None]:
        """Hold the first call with a prefix; let all others in once it has ended, well or not."""
        if prefix is None:
            yield
        elif prefix in self._first_done:
            with sample_wait():
                await self._first_done[prefix].wait()
            yield
        else:
            done = self._first_done[prefix] = anyio.Event()
            try:
                yield
            finally:
                done.set()
