"""Several processes on one study: nothing lost, nothing doubled, nobody reads half a file."""

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.storage.objects.disk import LocalBackend
from itemeval_assets.storage.study.store import ResultsStore
from tests.commands import PROCESSES
from tests.rows import solution, table
from tests.storage.writers import (
    PARTITION,
    Place,
    hang_while_writing,
    hold_claims,
    running,
    write_rounds,
)

pytestmark = pytest.mark.faults
# More with TEST_WRITERS=8 TEST_ROUNDS=200: some minutes.
WRITERS = int(os.environ.get("TEST_WRITERS", "4"))
ROUNDS = int(os.environ.get("TEST_ROUNDS", "4"))
ITEMS = 5
PATIENCE_S = 60


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.005)


def test_writers_of_one_partition_lose_and_double_nothing(place: Place) -> None:
    store = place.store()
    store.upsert("solutions", PARTITION, table("solutions", [solution("q0", sample_uuid="first")]))
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                running(
                    PROCESSES.Process(
                        target=write_rounds, args=(place, writer, ROUNDS, ITEMS), daemon=True
                    )
                )
            )
            for writer in range(WRITERS)
        ]
        seen = 1
        while any(writer.is_alive() for writer in writers):
            items = store.read("solutions")["item_id"].to_pylist()
            assert len(items) == len(set(items)) >= seen
            seen = len(items)
            # pandas asks a bucket for one part of an object after the other.
            if isinstance(store.backend, LocalBackend):
                assert len(pd.read_parquet(store.backend.uri("solutions.parquet"))) >= seen
            time.sleep(0.01)
        assert [writer.exitcode for writer in writers] == [0] * WRITERS
    shared = [f"q{item}" for item in range(ITEMS)]
    own = [f"own-{writer}" for writer in range(WRITERS)]
    kept = store.read("solutions")
    assert sorted(kept["item_id"].to_pylist()) == sorted([*shared, *own])
    calls = {
        f"{writer}-{number}-{name}"
        for writer in range(WRITERS)
        for number in range(ROUNDS)
        for name in [*shared, f"own-{writer}"]
    }
    replaced = store.read("replaced")["sample_uuid"].to_pylist()
    assert sorted(kept["sample_uuid"].to_pylist() + replaced) == sorted([*calls, "first"])


def test_a_killed_writer_leaves_the_old_file_and_no_lock(tmp_path: Path) -> None:
    store = Place(str(tmp_path)).store()
    store.upsert("solutions", PARTITION, table("solutions", [solution("q1")]))
    writer = PROCESSES.Process(target=hang_while_writing, args=(tmp_path, "q2"), daemon=True)
    with running(writer):
        wait_until((tmp_path / "hanging").exists)
        assert store.read("solutions")["item_id"].to_pylist() == ["q1"]
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
    assert len(list((tmp_path / "solutions.parquet").iterdir())) == 2  # the table, and a draft
    assert store.partitions("solutions") == [PARTITION]
    assert pd.read_parquet(tmp_path / "solutions.parquet")["item_id"].tolist() == ["q1"]
    store.upsert("solutions", PARTITION, table("solutions", [solution("q3")]))
    assert store.read("solutions")["item_id"].to_pylist() == ["q1", "q3"]


@pytest.mark.parametrize("end", ["released", "killed"])
def test_a_second_run_waits_and_is_told_for_whom(place: Place, end: str) -> None:
    events, release = PROCESSES.Queue(), PROCESSES.Event()
    first = claimer(place, [Partition(("g1",)), Partition(("g2",))], "run-1", events, release)
    second = claimer(place, [Partition(("g2",)), Partition(("g3",))], "run-2", events, release)
    with running(first):
        assert events.get(timeout=PATIENCE_S) == ("holds", "run-1")
        with running(second):
            other = f"run-1, process {first.pid} on {socket.gethostname()}"
            assert events.get(timeout=PATIENCE_S) == ("waits", ("g2",), other)
            assert events.empty()
            if end == "released":
                release.set()
                told = {events.get(timeout=PATIENCE_S) for _ in range(4)}
                assert told >= {("released", "run-1"), ("waits", ("g2",), ""), ("holds", "run-2")}
            else:
                os.kill(first.pid or 0, signal.SIGKILL)
                assert events.get(timeout=PATIENCE_S) == ("waits", ("g2",), "")
                assert events.get(timeout=PATIENCE_S) == ("holds", "run-2")


def test_a_wait_is_told_again_from_time_to_time(
    disk: ResultsStore, bucket: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("os_locks", "leases"):
        monkeypatch.setattr(f"itemeval_assets.storage.locking.{module}._REMIND_S", 0.1)
    for store in (disk, bucket):
        told: list[str] = []
        held, release = threading.Event(), threading.Event()

        def tell(_: Partition, holder: str, to: Any = told, end: threading.Event = release) -> None:
            to.append(holder)
            if len(to) == 3:
                end.set()

        def hold(of: ResultsStore, has: threading.Event, end: threading.Event) -> None:
            with of.claimed([Partition(("g1",))], "run-1", never):
                has.set()
                end.wait(PATIENCE_S)

        holder = threading.Thread(target=hold, args=(store, held, release))
        holder.start()
        assert held.wait(PATIENCE_S)
        with store.claimed([Partition(("g1",))], "run-2", tell):
            pass
        holder.join()
        assert len(told) >= 4 and told[-1] == ""
        assert all(name.startswith("run-1, process ") for name in told[:-1])


def test_claims_of_other_partitions_do_not_wait(place: Place) -> None:
    events, release = PROCESSES.Queue(), PROCESSES.Event()
    first = claimer(place, [Partition(("g1",))], "run-1", events, release)
    with running(first):
        assert events.get(timeout=PATIENCE_S) == ("holds", "run-1")
        waits: list[tuple[Partition, str]] = []
        free: list[Partition] = [Partition(("g2",)), Partition(("g1", "j1"))]
        with place.store().claimed(free, "run-2", lambda *wait: waits.append(wait)):
            assert waits == []


def test_runs_that_claim_in_different_orders_do_not_wait_for_each_other(place: Place) -> None:
    events, release = PROCESSES.Queue(), PROCESSES.Event()
    release.set()
    claims: list[Partition] = [Partition((f"g{number}",)) for number in range(5)]
    with ExitStack() as stack:
        for order in (claims, claims[::-1]) * 2:
            stack.enter_context(running(claimer(place, order, "a run", events, release)))
        told: list[str] = []
        while told.count("released") < 4:
            told.append(events.get(timeout=PATIENCE_S)[0])
    assert told.count("holds") == 4


def test_a_claim_ends_with_its_block_also_after_an_error(place: Place) -> None:
    store = place.store()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), store.claimed([Partition(("g1",))], "run", never):
            raise ZeroDivisionError


def test_more_claims_than_the_usual_limit_of_open_files(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
    try:
        claims: list[Partition] = [Partition((f"g{number}",)) for number in range(200)]
        with Place(str(tmp_path)).store().claimed(claims, "run", never):
            assert (tmp_path / "items.txt").write_text("there is room for other files") > 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def never(partition: Partition, holder: str) -> None:
    raise AssertionError(f"{partition} is held by {holder}")


def claimer(
    place: Place, partitions: list[Partition], holder: str, events: Any, release: Any
) -> Any:
    arguments = (place, partitions, holder, events, release)
    return PROCESSES.Process(target=hold_claims, args=arguments, daemon=True)
