"""What other processes do in the tests of concurrency. Imports little: each process pays for it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore
from tests.rows import solution, table

PARTITION: Partition = Partition(("g1",))
PATIENCE_S = 60
EACH_USD, CAP_USD = 3.0, 10.0


@dataclass(frozen=True)
class Place:
    """A location, with the environment that processes need to get there."""

    location: str
    environment: dict[str, str] = field(
        default_factory=lambda: {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
    )

    def store(self) -> ResultsStore:
        os.environ.update(self.environment)
        return ResultsStore(open_backend(self.location), "toy")


def write_rounds(place: Place, writer: int, rounds: int, items: int) -> None:
    """Upsert the same cells again and again, and one that no other process has."""
    store = place.store()
    for number in range(rounds):
        names = [*(f"q{item}" for item in range(items)), f"own-{writer}"]
        rows = [solution(name, sample_uuid=f"{writer}-{number}-{name}") for name in names]
        store.upsert("solutions", PARTITION, table("solutions", rows))


def hang_while_writing(folder: Path, item: str) -> None:
    """Begin an upsert, and never come to its end."""

    def hang(descriptor: int) -> None:
        (folder / "hanging").touch()
        time.sleep(600)

    os.fsync = hang  # type: ignore[assignment]
    Place(str(folder)).store().upsert("solutions", PARTITION, table("solutions", [solution(item)]))


def hold_claims(
    place: Place, partitions: list[Partition], holder: str, events: Any, release: Any
) -> None:
    """Claim, tell, and hold until told to release."""
    with place.store().claimed(partitions, holder, lambda *wait: events.put(("waits", *wait))):
        events.put(("holds", holder))
        release.wait(600)
    events.put(("released", holder))


class Refused(Exception):
    """What a cap answers."""


def anyway(others: dict[str, float]) -> None:
    """Admit whatever others have reserved."""


def below_cap(others: dict[str, float]) -> None:
    if sum(others.values()) + EACH_USD > CAP_USD:
        raise Refused


def reserve_and_stay(place: Place, reserved: Any, leave: Any) -> None:
    """Reserve, and end without a word once told to."""
    reservations = Reservations(place.store())
    with reservations.held("run-1"):
        reservations.reserve("run-1", 9.0, anyway)
        reserved.set()
        leave.wait(600)
        os._exit(1)


def reserve_in_rounds(place: Place, run: int, rounds: int, together: Any, outcomes: Any) -> None:
    """Reserve at the same moment as all others; tell who got it, and what all have."""
    reservations = Reservations(place.store())
    for number in range(rounds):
        holder = f"run-{run}-{number}"
        with reservations.held(holder):
            together.wait(PATIENCE_S)
            with suppress(Refused):
                reservations.reserve(holder, EACH_USD, below_cap)
            together.wait(PATIENCE_S)
            amounts = reservations.amounts()
            outcomes.put((number, holder in amounts, sum(amounts.values())))
            together.wait(PATIENCE_S)


@contextmanager
def running(process: Any) -> Iterator[Any]:
    """Start a process, and be sure that it is gone at the end."""
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
