"""Sheets that people have filled in: read, and kept in the study as they came."""

import hashlib
from pathlib import Path

from itemeval_assets.storage.objects.backends import Backend

from .layout import filled_sheet_key

__all__ = ["FilledSheet"]


class FilledSheet:
    """A file as it is now, whoever writes to it later."""

    def __init__(self, path: Path) -> None:
        self.name, self._suffix = path.name, path.suffix.lower()
        self._data = path.read_bytes()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._data).hexdigest()

    def keep(self, backend: Backend, run_id: str) -> str:
        """Keep it among the sheets of a study, for this run; where it lies there."""
        key = filled_sheet_key(run_id, self._suffix)
        backend.create(key, self._data)
        return key
