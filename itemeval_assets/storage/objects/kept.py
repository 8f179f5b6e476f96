"""Objects as they were last read or written: what has not changed need not be read again."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

_Version = TypeVar("_Version")
_MOST_BYTES = 2**26


class Kept(Generic[_Version]):
    """The latest versions of objects, up to so many bytes; the oldest make room."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._versions: OrderedDict[str, tuple[_Version, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> _Version | None:
        """The version of an object that is kept, if any."""
        with self._lock:
            found = self._versions.get(key)
            if found is None:
                return None
            self._versions.move_to_end(key)
            return found[0]

    def keep(self, key: str, version: _Version, size: int) -> None:
        """Keep a version of an object of so many bytes, in the place of any other."""
        with self._lock:
            self._forget(key)
            self._versions[key] = (version, size)
            self._bytes += size
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._versions)))

    def forget(self, key: str) -> None:
        with self._lock:
            self._forget(key)

    def _forget(self, key: str) -> None:
        _, size = self._versions.pop(key, (None, 0))
        self._bytes -= size
