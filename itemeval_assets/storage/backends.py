"""Where bytes live. One interface, so that a study can lie on a disk or in a bucket.

`update` is the only way to change an object that others may change too: it reads, lets
the caller merge, and writes only what nobody has overtaken.
"""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from itemeval_assets.core.errors import StoreError

__all__ = ["Backend", "LocalBackend"]

LOCKS = ".locks"


class Backend(Protocol):
    """Objects under `/`-separated keys. Readers see an old object or a new one, never a part."""

    def read(self, key: str) -> bytes | None:
        """The object, or None when there is none."""
        ...

    def update(self, key: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Replace the object by `change(object)`; None leaves it. Concurrent updates all count."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Keys below a folder, sorted."""
        ...

    def uri(self, key: str) -> str:
        """What a person or pandas opens."""
        ...


class LocalBackend:
    """A directory. A lock per key orders writers; a rename makes each write atomic."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, key: str) -> bytes | None:
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {self.uri(key)}: {error.strerror}") from error

    def update(self, key: str, change: Callable[[bytes | None], bytes | None]) -> None:
        try:
            with FileLock(self._lock_file(key)):
                data = change(self.read(key))
                if data is not None:
                    self._replace(self.root / key, data)
        except OSError as error:
            raise StoreError(
                f"cannot write {self.uri(key)}: {error.strerror or error}; "
                "check that the disk has room and that you may write there"
            ) from error

    def list(self, prefix: str) -> list[str]:
        folder = self.root / prefix
        files = (path for path in folder.rglob("*") if path.is_file())
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in files
            if not path.name.startswith(".")
        )

    def uri(self, key: str) -> str:
        return str(self.root / key)

    def _lock_file(self, key: str) -> Path:
        # Apart from the tables: readers of a table's folder take every file in it for data.
        path = self.root / LOCKS / f"{key}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @staticmethod
    def _replace(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{uuid.uuid4().hex}.draft")
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
