"""Turns: of the calls with one prefix the first goes alone, and nobody else waits."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from itemeval_assets.engine.calls.in_flight.turns import Turns


class Calls:
    """Calls that hold their turn until they are let go, and note when they begin and end."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.noted: list[str] = []
        self._let_go: dict[str, anyio.Event] = {}

    async def call(self, name: str, prefix: str | None, error: Exception | None = None) -> None:
        self._let_go[name] = anyio.Event()
        async with self.turns.turn(prefix):
            self.noted.append(f"{name} begins")
            await self._let_go[name].wait()
            self.noted.append(f"{name} ends")
            if error:
                raise error

    async def end(self, *names: str) -> None:
        for name in names:
            self._let_go[name].set()
        await anyio.wait_all_tasks_blocked()


def run(script: Callable[[Calls, anyio.abc.TaskGroup], Awaitable[None]]) -> list[str]:
    """What was noted while a script started calls and ended them."""
    calls = Calls()

    async def main() -> None:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                await script(calls, group)

    anyio.run(main)
    return calls.noted


def test_followers_start_together_once_the_first_has_ended() -> None:
    async def script(calls: Calls, group: anyio.abc.TaskGroup) -> None:
        for name in "abc":
            group.start_soon(calls.call, name, "p")
        await anyio.wait_all_tasks_blocked()
        assert len(calls.noted) == 1
        first = calls.noted[0][0]
        others = sorted(set("abc") - {first})
        await calls.end(first)
        assert sorted(calls.noted[2:]) == [f"{name} begins" for name in others]
        group.start_soon(calls.call, "late", "p")
        await anyio.wait_all_tasks_blocked()
        assert calls.noted[-1] == "late begins"
        await calls.end(*others, "late")

    assert len(run(script)) == 8


def test_other_prefixes_and_calls_without_one_do_not_wait() -> None:
    async def script(calls: Calls, group: anyio.abc.TaskGroup) -> None:
        for name, prefix in [("a", "p"), ("b", "q"), ("c", None), ("d", None)]:
            group.start_soon(calls.call, name, prefix)
        await anyio.wait_all_tasks_blocked()
        assert sorted(calls.noted) == [f"{name} begins" for name in "abcd"]
        await calls.end(*"abcd")

    run(script)


def test_an_error_of_the_first_lets_the_others_in() -> None:
    async def script(calls: Calls, group: anyio.abc.TaskGroup) -> None:
        async def fails() -> None:
            with pytest.raises(ZeroDivisionError):
                await calls.call("first", "p", ZeroDivisionError())

        group.start_soon(fails)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(calls.call, "second", "p")
        await anyio.wait_all_tasks_blocked()
        assert calls.noted == ["first begins"]
        await calls.end("first")
        await calls.end("second")

    assert run(script) == ["first begins", "first ends", "second begins", "second ends"]


def test_a_first_call_that_is_cancelled_lets_the_others_in() -> None:
    async def script(calls: Calls, group: anyio.abc.TaskGroup) -> None:
        scope = anyio.CancelScope()

        async def first() -> None:
            with scope:
                await calls.call("first", "p")

        group.start_soon(first)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(calls.call, "second", "p")
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
        await calls.end("second")

    assert run(script) == ["first begins", "second begins", "second ends"]
