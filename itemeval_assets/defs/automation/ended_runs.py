"""Runs that have ended since a sensor last looked, with the cursors that it keeps."""

import time
from collections.abc import Iterator

import dagster as dg

Kind = dg.DagsterEventType

_ENDED = (Kind.RUN_SUCCESS, Kind.RUN_FAILURE, Kind.RUN_CANCELED)
# Dagster gives up on a tick after 60 s, and would start again from where it started.
_LONGEST_TICK_S = 30


def ended_runs(instance: dg.DagsterInstance, cursors: dict[str, str]) -> Iterator[tuple[str, Kind]]:
    """Runs in the order in which they ended, and how each did; moves the cursors on.

    At first: what ends from now on.
    """
    until = time.monotonic() + _LONGEST_TICK_S
    for kind in _ENDED:
        if kind.name not in cursors:
            cursors[kind.name] = instance.fetch_run_status_changes(kind, limit=1).cursor
    following = {kind: _next(instance, kind, cursors) for kind in _ENDED}
    while time.monotonic() < until:
        found = [next_of_kind for next_of_kind in following.values() if next_of_kind]
        if not found:
            return
        _, run_id, kind, cursors[kind.name] = min(found)
        yield run_id, kind
        following[kind] = _next(instance, kind, cursors)


def _next(
    instance: dg.DagsterInstance, kind: Kind, cursors: dict[str, str]
) -> tuple[int, str, Kind, str] | None:
    """The next run that ended so: the place of its event, its id, and the cursor after it."""
    found = instance.fetch_run_status_changes(
        kind, limit=1, cursor=cursors[kind.name], ascending=True
    )
    if not found.records:
        return None
    [record] = found.records
    return record.storage_id, record.run_id, kind, found.cursor
