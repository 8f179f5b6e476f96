"""The attempts of automatic re-runs, kept beside the tables."""

from collections.abc import Mapping
from datetime import datetime

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.reruns import Attempts
from itemeval_assets.core.study import Partition

from .layout import RERUNS
from .store import ResultsStore

__all__ = ["read_attempts", "write_attempts"]


def read_attempts(store: ResultsStore) -> dict[Partition, Attempts]:
    """The attempts on each partition since it was last sound. Raises StoreError."""
    document = store.read_json(RERUNS) or {}
    try:
        return {
            tuple(key.split("|")): Attempts(
                int(entry["made"]), datetime.fromisoformat(entry["last"])
            )
            for key, entry in document.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{store.backend.uri(RERUNS)} does not say how often partitions were asked for; "
            "restore it from a copy, or delete it: then they are counted from the start"
        ) from error


def write_attempts(store: ResultsStore, attempts: Mapping[Partition, Attempts]) -> None:
    """Keep these attempts, and forget all others."""
    document = {
        "|".join(part): {"made": tried.made, "last": tried.last.isoformat()}
        for part, tried in attempts.items()
    }
    if document or store.read_json(RERUNS):
        store.update_json(RERUNS, lambda _: document)
