"""Folders for files that are made here and belong elsewhere."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from itemeval_assets.core.errors import StoreError

from .backends import Backend
from .disk import reason_of


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for the length of the block.

    Raises StoreError where files cannot be made in it: errors of the store itself are none of its.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
            yield Path(folder)
    except OSError as error:
        place = tempfile.tempdir or "a temporary folder"
        raise StoreError(
            f"cannot write in {place}, where files are made before they are stored: "
            f"{reason_of(error)}, or set TMPDIR to another folder. Nothing was stored"
        ) from error


class NewTexts:
    """Texts by key, made in `folder`, which come in the place of all below a prefix of a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keys: list[str] = []

    @property
    def keys(self) -> list[str]:
        return sorted(self._keys)

    def write(self, key: str, lines: Iterable[str]) -> int:
        """Write lines, one at a time in memory; how many. Where there is none, there is no text."""
        count, path = 0, self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(line + "\n")
                count += 1
        if count:
            self._keys.append(key)
        else:
            path.unlink()
        return count

    def sha256(self, key: str) -> str:
        return hashlib.sha256((self.folder / key).read_bytes()).hexdigest()

    def replace(self, backend: Backend, prefix: str) -> None:
        """Store the texts below the prefix, and remove what else lies there."""
        wanted = {f"{prefix}/{key}": self.folder / key for key in self.keys}
        for key, path in wanted.items():
            backend.upload(path, key, give_away=True)
        for key in set(backend.list(prefix)) - wanted.keys():
            backend.delete(key)
