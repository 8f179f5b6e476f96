"""Files that users give: read once, and kept as they came."""

import hashlib
from pathlib import Path

from .backends import Backend


class GivenFile:
    """A file as it is now, whoever writes to it later."""

    def __init__(self, path: Path) -> None:
        self.name, self.suffix = path.name, path.suffix.lower()
        self._data = path.read_bytes()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._data).hexdigest()

    def keep(self, backend: Backend, key: str) -> None:
        """Keep it under a key that nothing has yet."""
        backend.create(key, self._data)
