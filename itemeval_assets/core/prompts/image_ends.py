"""Whether the bytes of an image go to its end: a download that broke off is no image.

Nothing is decoded. A decoder, such as Pillow, would read bytes of strangers in the process that has
the keys of the providers, where flaws of decoders do harm, and it would cost a dependency and the
time and memory of each picture. What it would find besides, spoilt bytes in between, is rare: the
provider refuses such an image, and the answer is a row with that error.
"""

import re

# A mark of JPEG: not a byte of the picture, which a zero or a restart follows.
_JPEG_MARK = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_JPEG_END = 0xD9
_GIF_END, _GIF_EXTENSION, _GIF_PICTURE = 0x3B, 0x21, 0x2C


def require_whole(name: str, data: bytes) -> None:
    """Raise ValueError for an image without its last part. `name` ends with its kind."""
    kind = name.rpartition(".")[2]
    try:
        is_whole = _ENDS[kind](data)
    except IndexError:
        is_whole = False
    if not is_whole:
        raise ValueError(f"is no whole {kind.upper()}, its end is missing: copy it once more")


def _png_ends(data: bytes) -> bool:
    """Chunks of a length, a name, so many bytes, and a checksum; the last is IEND."""
    place = 8
    while place + 12 <= len(data):
        name = data[place + 4 : place + 8]
        place += 12 + int.from_bytes(data[place : place + 4])
        if name == b"IEND":
            return place <= len(data)
    return False


def _jpeg_ends(data: bytes) -> bool:
    """Segments of a mark and a length, between them the picture; what they hold has no marks."""
    place = 2
    while found := _JPEG_MARK.search(data, place):
        if found[1][0] == _JPEG_END:
            return True
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return False


def _gif_ends(data: bytes) -> bool:
    """Blocks, each with parts of a length up to an empty one. Some have no mark of the end."""
    place = 13 + _gif_colours(data[10])
    while place < len(data) and data[place] != _GIF_END:
        if data[place] == _GIF_EXTENSION:
            place += 2
        elif data[place] == _GIF_PICTURE:
            place += 11 + _gif_colours(data[place + 9])
        else:
            return False
        while data[place]:
            place += 1 + data[place]
        place += 1
    return place <= len(data)


def _gif_colours(flags: int) -> int:
    """The bytes of a table of colours, where there is one."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp_ends(data: bytes) -> bool:
    """After RIFF stands how many bytes follow."""
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


_ENDS = {"png": _png_ends, "jpeg": _jpeg_ends, "gif": _gif_ends, "webp": _webp_ends}
