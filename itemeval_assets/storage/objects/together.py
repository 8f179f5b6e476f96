"""Work on objects that does not depend on each other, done together where each waits long."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .backends import Backend

_Thing = TypeVar("_Thing")
_Result = TypeVar("_Result")


def together(
    backend: Backend, work: Callable[[_Thing], _Result], things: Iterable[_Thing]
) -> list[_Result]:
    """`work` done on each, in their order. Raises the first error; then no other one is begun."""
    if backend.at_once == 1:
        return [work(thing) for thing in things]
    with ThreadPoolExecutor(backend.at_once) as pool:
        begun = [pool.submit(work, thing) for thing in things]
        try:
            return [future.result() for future in begun]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
