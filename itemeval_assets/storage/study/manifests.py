"""The manifests of the runs of a study."""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from .layout import manifest_key
from .store import ResultsStore


def manifests_of(store: ResultsStore, run_ids: Iterable[str]) -> Sequence[Mapping[str, Any]]:
    """The manifests of these runs, oldest first, generate before grade; some are gone."""
    found = (store.read_json(manifest_key(run_id)) for run_id in sorted(set(run_ids)))
    return sorted(filter(None, found), key=itemgetter("created_at", "stage"))
