"""Images: their names, their kinds, and how requests hold them."""

import hashlib

import pytest

from itemeval_assets.core.prompts.images import MOST_BYTES, data_uri, name_of

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG + b"1", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
    ],
)
def test_an_image_is_called_by_its_bytes(data: bytes, kind: str) -> None:
    name = name_of(data)
    assert name == f"{hashlib.sha256(data).hexdigest()}.{kind}"
    assert data_uri(name, data).startswith(f"data:image/{kind};base64,")


@pytest.mark.parametrize("data", [b"", b"<svg>", b"RIFF\x00\x00\x00\x00WAVE", b"%PDF-1.7"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="is no image: it is neither PNG, JPEG, GIF nor WebP"):
        name_of(data)


def test_an_image_has_a_largest_size() -> None:
    name_of(PNG + bytes(MOST_BYTES - len(PNG)))
    with pytest.raises(
        ValueError, match="has 5,000,001 bytes; an image may have at most 5,000,000"
    ):
        name_of(PNG + bytes(MOST_BYTES - len(PNG) + 1))
