"""Images of an item: what they are called, and how a request holds them."""

import base64
import hashlib

# Under this name the images of an item are kept with its metadata.
IMAGES = "images"
# The least that one of the large providers takes.
MOST_BYTES = 5_000_000
_BEGIN = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8"}


def name_of(data: bytes) -> str:
    """The name of an image: the sha256 of its bytes, and what kind it is by its first bytes.

    Raises ValueError for what is no image, or too large.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"has {len(data):,} bytes; an image may have at most {MOST_BYTES:,}: scale it down"
        )
    return f"{hashlib.sha256(data).hexdigest()}.{_kind_of(data)}"


def data_uri(name: str, data: bytes) -> str:
    """An image as requests hold it: the same on every machine, so that the cache knows it."""
    kind = name.rpartition(".")[2]
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _kind_of(data: bytes) -> str:
    for kind, begin in _BEGIN.items():
        if data.startswith(begin):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    raise ValueError("is no image: it is neither PNG, JPEG, GIF nor WebP")
