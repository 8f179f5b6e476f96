"""The images of a study: each once, by the hash of its bytes."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.prompts.images import data_uri
from itemeval_assets.storage.objects.backends import Backend
from itemeval_assets.storage.objects.together import together

from . import layout


class StudyImages:
    """What was stored of the images of the items; each is read once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._uris: dict[str, str] = {}

    def has(self, names: Iterable[str]) -> bool:
        """Whether all these images are stored."""
        return {*names} <= _stored(self._backend)

    def uris(self, names: Iterable[str]) -> dict[str, str]:
        """{name: the image as requests hold it}. Raises StoreError for one that is gone."""
        wanted = dict.fromkeys(names)
        new = [name for name in wanted if name not in self._uris]
        found = self._backend.read_many([layout.image_key(name) for name in new])
        for name, data in zip(new, found, strict=True):
            if data is None:
                raise StoreError(
                    f"the image {self._backend.uri(layout.image_key(name))} is gone; restore it, "
                    "or delete items.parquet there: then the next run reads the images anew"
                )
            self._uris[name] = data_uri(name, data)
        return {name: self._uris[name] for name in wanted}


class Drafts:
    """Images that were read, on this machine, until all of the data are known to be good."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, data: bytes) -> None:
        path = self._folder / name
        if not path.exists():
            path.write_bytes(data)

    def store(self, backend: Backend) -> None:
        """Write those that are not stored yet."""
        drafts = sorted(self._folder.iterdir())
        stored = _stored(backend) if drafts else ()
        new = [path for path in drafts if path.name not in stored]
        together(backend, lambda path: backend.upload(path, layout.image_key(path.name)), new)


@contextmanager
def drafts() -> Iterator[Drafts]:
    """A folder for images that are read; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        yield Drafts(Path(folder))


def _stored(backend: Backend) -> set[str]:
    return {key.rpartition("/")[2] for key in backend.list(layout.IMAGES)}
