"""The attempts of automatic re-runs, kept beside the tables: many runs count at once."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.records.reruns import Attempts

from .layout import RERUNS
from .store import ResultsStore

_Known = dict[Partition, Attempts]
_NEVER = datetime.min.replace(tzinfo=UTC)


def read_attempts(store: ResultsStore) -> _Known:
    """The attempts on each partition since it was last sound. Raises StoreError."""
    known = _known(store, store.seen_json(RERUNS) or {})
    return {part: tried for part, tried in known.items() if tried.made}


def count_attempts(store: ResultsStore, partitions: Collection[Partition], at: datetime) -> None:
    """One more attempt on each of these partitions."""

    def count(known: _Known) -> _Known:
        for part in partitions:
            tried = known.get(part, Attempts(0, at))
            known[part] = Attempts(tried.made + 1, max(tried.last, at))
        return known

    _change(store, count)


def count_failures(
    store: ResultsStore, failures: Collection[tuple[datetime, Collection[Partition]]]
) -> None:
    """Count runs that failed without counting: when they were made, and of which partitions.

    A run that is older than what is known of a partition has been counted, or forgotten.
    """

    def count(known: _Known) -> _Known:
        for at, partitions in sorted(failures, key=lambda failure: failure[0]):
            for part in partitions:
                tried = known.get(part, Attempts(0, _NEVER))
                if at > tried.last:
                    known[part] = Attempts(tried.made + 1, at)
        return known

    document = store.read_json(RERUNS) or {}
    if count(_known(store, document)) != _known(store, document):
        _change(store, count)


def forget_attempts(
    store: ResultsStore, partitions: Collection[Partition] | None, at: datetime
) -> list[Partition]:
    """Begin anew with these partitions, or with all; those that had been tried."""
    forgotten: list[Partition] = []

    def forget(known: _Known) -> _Known:
        wanted = (part for part in known if partitions is None or part in partitions)
        forgotten[:] = [part for part in wanted if known[part].made]
        # When it was is kept, so that failures before are not counted again.
        return known | {part: Attempts(0, at) for part in forgotten}

    if read_attempts(store):
        _change(store, forget)
    return forgotten


def _change(store: ResultsStore, change: Callable[[_Known], _Known]) -> None:
    store.update_json(RERUNS, lambda document: _document(change(_known(store, document))))


def _document(known: _Known) -> dict[str, Any]:
    return {
        "|".join(part): {"made": tried.made, "last": tried.last.isoformat()}
        for part, tried in known.items()
    }


def _known(store: ResultsStore, document: dict[str, Any]) -> _Known:
    try:
        return {
            Partition(key.split("|")): Attempts(_count(entry["made"]), _moment(entry["last"]))
            for key, entry in document.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        what = "does not say how often the schedule ran the partitions"
        raise store.damaged(RERUNS, what) from error


def _count(made: Any) -> int:
    if isinstance(made, bool) or not isinstance(made, int) or made < 0:
        raise ValueError(f"{made!r} is no number of attempts")
    return made


def _moment(last: Any) -> datetime:
    moment = datetime.fromisoformat(last)
    if moment.tzinfo is None:
        raise ValueError(f"{last!r} has no time zone")
    return moment
