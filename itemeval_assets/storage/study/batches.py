"""The provider batches of a study whose answers are not in its rows yet: a document for each."""

from collections.abc import Callable

from itemeval_assets.core.records.batches import KeptBatch
from itemeval_assets.storage.own_files import data_files

from .layout import BATCHES, batch_key
from .store import ResultsStore

Change = Callable[[KeptBatch], KeptBatch]


class KeptBatches:
    """Batches by name. Runs of other partitions change the same ones at the same time."""

    def __init__(self, store: ResultsStore) -> None:
        self._store = store

    def all(self) -> list[KeptBatch]:
        """Those that have lines, oldest first. Raises StoreError for one that is damaged."""
        found = []
        for key in data_files(self._store.backend.list(BATCHES), ".json"):
            document = self._store.read_json(key)
            # Who takes the last line removes the document.
            if document and document.get("lines"):
                found.append(self._batch(key, document))
        return sorted(found, key=lambda batch: (batch.created_at, batch.name))

    def keep(self, batch: KeptBatch) -> None:
        """Write down a new batch."""
        self._store.update_json(batch_key(batch.name), lambda _: batch.to_document())

    def change(self, name: str, change: Change) -> None:
        """Change a batch, if it is still there. One without lines goes."""
        key, is_empty = batch_key(name), False

        def rewrite(document: dict[str, object]) -> dict[str, object]:
            nonlocal is_empty
            if not document:
                return {}
            changed = change(self._batch(key, document))
            is_empty = not changed.lines
            return changed.to_document()

        self._store.update_json(key, rewrite)
        if is_empty:
            self._store.backend.delete(key)

    def _batch(self, key: str, document: dict[str, object]) -> KeptBatch:
        try:
            return KeptBatch.from_document(document)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._store.damaged(
                key, "does not say what was sent in a batch, and may be paid"
            ) from error
