"""Input files of specs on the machine that runs them."""

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from functools import cache
from pathlib import Path, PurePosixPath

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments.spec.files import split_s3_uri
from itemeval_assets.storage.objects.backends import Backend, open_backend

_TIMEOUT_S = 60.0


class Fetcher:
    """Files by their reference: a path, or an `s3://` or `http(s)://` URL; each fetched once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._found: dict[str, Path] = {}

    def __call__(self, reference: str | Path) -> Path:
        """A file of this machine, to be read only. Raises StoreError that names what is gone."""
        text = str(reference)
        if text not in self._found:
            self._found[text] = self._fetch(text)
        return self._found[text]

    def _fetch(self, text: str) -> Path:
        if text.startswith("s3://"):
            return self._from_s3(text)
        if text.startswith(("http://", "https://")):
            return _download(text)
        if not Path(text).is_file():
            raise StoreError(f"there is no file {text} on this machine")
        return Path(text)

    def _from_s3(self, uri: str) -> Path:
        bucket, key = split_s3_uri(uri)
        own = self._backend.uri("")
        backend = self._backend if own == f"s3://{bucket}/" else open_backend(f"s3://{bucket}")
        return backend.local_copy(key)


def _download(url: str) -> Path:
    folder = Path(_downloads().name) / hashlib.sha256(url.encode()).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    path = folder / (PurePosixPath(urllib.parse.urlsplit(url).path).name or "file")
    if path.is_file():
        return path
    draft = path.with_name(f"{path.name}.part")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "itemeval-assets"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply, draft.open("wb") as file:
            shutil.copyfileobj(reply, file)
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise StoreError(f"cannot fetch {url}: {error}") from error
    return draft.replace(path)


@cache
def _downloads() -> tempfile.TemporaryDirectory[str]:
    """The downloads of this process, removed at its end."""
    return tempfile.TemporaryDirectory(prefix="itemeval_assets_")
