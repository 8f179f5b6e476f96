"""Reads the images of items: from files, from the web, or from the data themselves.

What a column holds raises ValueError with what is wrong, and where it lies.
"""

import base64
import binascii
import http.client
import os
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from itemeval_assets.core.prompts.image_ends import require_whole
from itemeval_assets.core.prompts.images import MOST_BYTES, name_of
from itemeval_assets.core.text.words import cut

Keep = Callable[[str, bytes], None]
_WEB = ("http://", "https://")
_TIMEOUT_S = 30


class ImageReader:
    """Reads images. Paths are relative to `base`, and lead nowhere else; null: there are none.

    Data may be of strangers: a path must not bring other files of this machine into a request.
    `keep` is given (name, bytes) of each image; without it nothing of the web is read, and its
    address stands in the place of a name.
    """

    def __init__(self, base: Path | None, keep: Keep | None) -> None:
        self._base, self._keep = base, keep

    def names(self, value: Any, known: Sequence[str] | None) -> list[str]:
        """The names of the images that a column holds: none, one, or a list.

        `known`: those that were stored of this item before. An image of the web is read once.
        """
        values = list(value) if isinstance(value, list | tuple) else [value]
        found = [one for one in values if one is not None and one != ""]
        stored = known if known and len(known) == len(found) else [None] * len(found)
        return [self._name(one, before) for one, before in zip(found, stored, strict=True)]

    def _name(self, value: Any, before: str | None) -> str:
        if isinstance(value, str) and value.startswith(_WEB):
            if before and not before.startswith(_WEB):
                return before
            return self._kept(_from_web(value), value) if self._keep else value
        if isinstance(value, dict):  # as the datasets library and Parquet files of the hub have it
            data, path = value.get("bytes"), value.get("path")
            if data is None and isinstance(path, str) and _is_in_cache(path):
                return self._kept(_content(Path(path)), path)
            value = data if data is not None else path
        if isinstance(value, bytes):
            return self._kept(value, "the image")
        if isinstance(value, str) and value.startswith("data:"):
            return self._kept(_from_uri(value), "the data URI")
        if isinstance(value, str):
            return self._kept(self._from_file(value), value)
        raise ValueError(f"expected a path, an address or bytes of an image; found {_shown(value)}")

    def _kept(self, data: bytes, where: str) -> str:
        try:
            name = name_of(data)
            require_whole(name, data)
        except ValueError as error:
            raise ValueError(f"{cut(where)} {error}") from error
        if self._keep:
            self._keep(name, data)
        return name

    def _from_file(self, given: str) -> bytes:
        if self._base is None:
            raise ValueError(f"{cut(given)} is a path, and a dataset of the hub has no folder here")
        path = Path(os.path.normpath(self._base / given))
        if not path.is_relative_to(self._base):
            raise ValueError(
                f"{path} is not in {self._base}, the folder of the data; put the images there"
            )
        _refuse_links_out(path, self._base)
        return _content(path)


def _refuse_links_out(path: Path, base: Path) -> None:
    """Raise ValueError where a link leads out of the folder: an archive of data may hold one."""
    try:
        place = path.resolve()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is a link that leads nowhere: {error}") from error
    if not place.is_relative_to(base.resolve()):
        raise ValueError(
            f"{path} is a link to {place}, which is not in {base}, the folder of the data; put the "
            "image itself there"
        )


def _content(path: Path) -> bytes:
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode) and not S_ISDIR(found.st_mode):
            raise ValueError(f"{path} is no file, but a pipe, a socket or a device")
        if (size := found.st_size) > MOST_BYTES:
            raise ValueError(
                f"{path} has {size:,} bytes; an image may have at most {MOST_BYTES:,}: scale it "
                "down"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError(
            f"there is no image {path}; paths are relative to the file of the data"
        ) from error
    except OSError as error:
        raise ValueError(f"cannot read the image {path}: {error.strerror}") from error


def _is_in_cache(path: str) -> bool:
    """Whether the library `datasets` has put a file there: so it gives images of the hub."""
    from datasets.config import HF_CACHE_HOME  # noqa: PLC0415 (loads datasets)

    return Path(path).resolve().is_relative_to(Path(HF_CACHE_HOME).expanduser().resolve())


def _from_web(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"User-Agent": "itemeval-assets"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:
            data = reply.read(MOST_BYTES + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ValueError(f"cannot read {address}: {error}") from error
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"{cut(address)} has more bytes than the {MOST_BYTES:,} that an image may have: scale "
            "it down"
        )
    return data


def _from_uri(uri: str) -> bytes:
    head, _, data = uri.partition(",")
    if not head.endswith(";base64"):
        raise ValueError("a data URI of an image must be in base64")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError("a data URI of an image is no base64") from error


def _shown(value: Any) -> str:
    return repr(cut(str(value)))
