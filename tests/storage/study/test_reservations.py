"""Reservations: runs that are in progress, and no others, count against the cap."""

import os
import signal
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore
from tests.commands import PROCESSES
from tests.storage.writers import (
    EACH_USD,
    Place,
    Refused,
    anyway,
    below_cap,
    reserve_and_stay,
    reserve_in_rounds,
    running,
)

PATIENCE_S = 60
RUNS, ROUNDS = 4, 5


@pytest.fixture
def reservations(store: ResultsStore) -> Reservations:
    return Reservations(store)


def test_a_reservation_lasts_as_long_as_its_holder(reservations: Reservations) -> None:
    with reservations.held("run-1"), reservations.held("run-2"):
        reservations.reserve("run-1", 5.0, anyway)
        reservations.reserve("run-2", 2.0, anyway)
        assert reservations.amounts() == {"run-1": 5.0, "run-2": 2.0}
        reservations.release("run-1", 1.5)
        assert reservations.amounts() == {"run-1": 3.5, "run-2": 2.0}
    assert reservations.amounts() == {}


def test_it_ends_also_with_an_error(reservations: Reservations) -> None:
    with pytest.raises(Refused), reservations.held("run-1"):
        reservations.reserve("run-1", 5.0, anyway)
        raise Refused
    with reservations.held("run-1"):
        assert reservations.amounts() == {}


def test_who_is_not_alive_has_nothing_reserved(
    reservations: Reservations, store: ResultsStore
) -> None:
    assert reservations.amounts() == {}
    assert store.backend.list("") == []
    reservations.reserve("nobody", 5.0, anyway)
    assert reservations.amounts() == {}


def test_only_what_others_reserved_is_held_against_a_run(reservations: Reservations) -> None:
    seen: list[dict[str, float]] = []
    with reservations.held("run-1"), reservations.held("run-2"):
        for holder, usd in [("run-1", 5.0), ("run-2", 2.0), ("run-1", 1.0), ("run-1", 6.0)]:
            reservations.reserve(holder, usd, seen.append)
        assert seen == [{}, {"run-1": 5.0}, {"run-2": 2.0}, {"run-2": 2.0}]
        assert reservations.amounts() == {"run-1": 6.0, "run-2": 2.0}


def test_a_refusal_changes_nothing(reservations: Reservations, store: ResultsStore) -> None:
    with reservations.held("run-1"), reservations.held("run-2"), reservations.held("run-3"):
        reservations.reserve("run-1", 8.0, anyway)
        reservations.reserve("run-2", 9.0, anyway)
        before = store.backend.read("reservations.json")
        for holder in ("run-1", "run-3"):
            with pytest.raises(Refused):
                reservations.reserve(holder, EACH_USD, below_cap)
        assert store.backend.read("reservations.json") == before
        assert reservations.amounts() == {"run-1": 8.0, "run-2": 9.0}


@given(changes=st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.integers(0, 9))))
def test_a_holder_has_the_most_it_reserved_less_what_it_gave_back(
    changes: list[tuple[bool, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    reservations = Reservations(Place(str(tmp_path_factory.mktemp("store"))).store())
    expected: dict[str, float] = {}
    with reservations.held("a"), reservations.held("b"):
        for is_more, holder, usd in changes:
            if is_more:
                reservations.reserve(holder, usd, anyway)
                expected[holder] = max(expected.get(holder, 0), usd)
            else:
                reservations.release(holder, usd)
                expected |= {holder: max(0, expected[holder] - usd)} if holder in expected else {}
            assert reservations.amounts() == expected


@pytest.mark.parametrize("end", ["killed", "left"])
def test_the_reservation_of_a_dead_process_no_longer_counts(
    reservations: Reservations, place: Place, end: str
) -> None:
    reserved, leave = PROCESSES.Event(), PROCESSES.Event()
    arguments = (place, reserved, leave)
    process = PROCESSES.Process(target=reserve_and_stay, args=arguments, daemon=True)
    with running(process), reservations.held("run-2"):
        assert reserved.wait(PATIENCE_S)
        assert reservations.amounts() == {"run-1": 9.0}
        with pytest.raises(Refused):
            reservations.reserve("run-2", EACH_USD, below_cap)
        if end == "killed":
            os.kill(process.pid or 0, signal.SIGKILL)
        else:
            leave.set()
        process.join(PATIENCE_S)
        assert reservations.amounts() == {}
        reservations.reserve("run-2", EACH_USD, below_cap)
        assert reservations.amounts() == {"run-2": EACH_USD}


def test_runs_that_reserve_at_once_never_pass_the_cap_together(place: Place) -> None:
    together, outcomes = PROCESSES.Barrier(RUNS), PROCESSES.Queue()
    with ExitStack() as stack:
        for run in range(RUNS):
            arguments = (place, run, ROUNDS, together, outcomes)
            process = PROCESSES.Process(target=reserve_in_rounds, args=arguments, daemon=True)
            stack.enter_context(running(process))
        found = [outcomes.get(timeout=PATIENCE_S) for _ in range(RUNS * ROUNDS)]
    for number in range(ROUNDS):
        admitted = [is_admitted for round, is_admitted, _ in found if round == number]
        assert sorted(admitted) == [False, True, True, True]
    assert {total for *_, total in found} == {3 * EACH_USD}
