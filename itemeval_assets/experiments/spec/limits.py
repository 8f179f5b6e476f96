"""What one spec of an experiment may use, and how often it is tried."""

import math
import sys
from dataclasses import dataclass

from pydantic import ByteSize, TypeAdapter, ValidationError

from itemeval_assets.experiments.errors import SpecError


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes that a spec may use, None without a limit; `retries` after the first try.

    `memory_bytes`: what a process may allocate beyond what it has when it begins.
    """

    timeout_s: float | None = None
    retries: int = 0
    memory_bytes: int | None = None

    @property
    def named(self) -> str:
        """The limits that only a process of its own can keep; empty without any."""
        given = {"timeout_s": self.timeout_s, "memory": self.memory_bytes}
        return " and ".join(name for name, value in given.items() if value is not None)


def limits(
    timeout_s: float | None = None, retries: int = 0, memory: int | str | None = None
) -> Limits:
    """Limits as people write them: `memory` in bytes, or as in "2 GB" or "512 MiB".

    Raises SpecError for what is no limit.
    """
    if timeout_s is not None and not (_is_number(timeout_s) and 0 < timeout_s < math.inf):
        raise SpecError(
            f"timeout_s is {timeout_s!r}; give the seconds that a spec may take, or None"
        )
    if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
        raise SpecError(f"retries is {retries!r}; give a whole number, 0 for no second try")
    return Limits(timeout_s, retries, None if memory is None else _bytes(memory))


def _bytes(memory: int | str) -> int:
    if not sys.platform.startswith("linux"):
        raise SpecError("memory can be limited on Linux alone; leave it out on this machine")
    try:
        size = 0 if isinstance(memory, bool) else int(TypeAdapter(ByteSize).validate_python(memory))
    except ValidationError:
        size = 0
    if size <= 0:
        raise SpecError(f'memory is {memory!r}; give bytes, or a text as "2 GB" or "512 MiB"')
    return size


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
