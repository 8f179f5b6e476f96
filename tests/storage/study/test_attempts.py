"""Attempts of the schedule: runs at once count themselves, each once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.attempts import (
    count_attempts,
    count_failures,
    forget_attempts,
    read_attempts,
)
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.studies import write_study

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A, B = Partition(("a",)), Partition(("a", "judge"))


@pytest.fixture
def store(tmp_path: Path) -> ResultsStore:
    return open_store(load_study(write_study(tmp_path)))


def made(store: ResultsStore) -> dict[tuple[str, ...], int]:
    return {part: tried.made for part, tried in read_attempts(store).items()}


def test_runs_at_once_are_all_counted(store: ResultsStore) -> None:
    parts = [Partition((f"c{number}",)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda part: count_attempts(store, [part, A], NOW), parts))
    assert made(store) == {**dict.fromkeys(parts, 1), A: 8}


def test_what_is_forgotten_at_once_with_a_count_is_not_written_back(store: ResultsStore) -> None:
    count_attempts(store, [A, B], NOW)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(forget_attempts, store, [A], NOW).result()
        pool.submit(count_attempts, store, [B], NOW).result()
    assert made(store) == {B: 2}
    assert forget_attempts(store, None, NOW) == [B]
    assert forget_attempts(store, None, NOW) == []


def test_a_failed_run_counts_once_and_not_what_was_counted_or_forgotten_since(
    store: ResultsStore,
) -> None:
    later = [NOW + timedelta(minutes=number) for number in range(4)]
    failures = [(later[1], [A]), (later[0], [A, B])]
    for _ in range(2):
        count_failures(store, failures)
        assert made(store) == {A: 2, B: 1}
    count_attempts(store, [A], later[3])  # this one began at 2 and counted itself
    count_failures(store, [(later[2], [A])])
    assert made(store)[A] == 3
    forget_attempts(store, [A], later[3])
    count_failures(store, failures)
    assert made(store) == {B: 1}


def test_nothing_tried_leaves_no_file(store: ResultsStore, tmp_path: Path) -> None:
    assert forget_attempts(store, None, NOW) == []
    count_failures(store, [])
    assert not list(tmp_path.rglob("reruns.json"))
