"""Logs of runs that are alive or were killed, with what was noted of their usage beside them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.errors import StoreError
from itemeval_assets.engine.logs.reading import read_log, read_log_header
from itemeval_assets.storage.objects.backends import Backend
from itemeval_assets.storage.study import log_files
from itemeval_assets.storage.study.store import ResultsStore

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


def running_headers(store: ResultsStore) -> "Iterator[tuple[str, EvalLog]]":
    """Keys of the logs of live and killed runs, with their headers."""
    for key in log_files.running_logs(store.backend):
        try:
            yield key, read_log_header(store.backend.local_copy(key), store.backend.uri(key))
        except StoreError:
            if store.backend.exists(key):
                raise
            # A live run of other partitions has just archived it.


def read_unfinished(backend: Backend, key: str) -> "EvalLog":
    """A log with its samples, and the usage that was noted beside it; nothing is written.

    Raises StoreError for a log, or notes, that cannot be read.
    """
    from itemeval_assets.engine.logs.spent import with_notes  # noqa: PLC0415 (loads inspect_ai)

    log, notes = read_log(backend.local_copy(key), backend.uri(key)), log_files.notes_of(key)
    if not backend.exists(notes):
        return log
    return with_notes(log, backend.read(notes), backend.uri(notes))


def take_in_notes(backend: Backend, key: str) -> None:
    """Write the noted usage of a killed run's log into its header, and remove the notes.

    Raises StoreError for a log, or notes, that cannot be read.
    """
    from itemeval_assets.engine.logs.broken import write_log  # noqa: PLC0415 (loads inspect_ai)

    notes = log_files.notes_of(key)
    if not backend.exists(notes):
        return
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        whole = Path(folder) / "whole.eval"
        write_log(read_unfinished(backend, key), whole)
        backend.upload(whole, key, give_away=True)
    backend.delete(notes)
