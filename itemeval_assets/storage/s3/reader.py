"""Pieces of an object: who looks at the end of a large table fetches no more."""

import io
from collections.abc import Callable
from typing import BinaryIO, cast

_PIECE_BYTES = 2**16


def read_pieces(size: int, fetch: Callable[[int, int], bytes]) -> BinaryIO:
    """A file of `size` bytes; `fetch(start, end)` gives those from start up to before end."""
    return cast(BinaryIO, io.BufferedReader(_Pieces(size, fetch), _PIECE_BYTES))


class _Pieces(io.RawIOBase):
    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._size, self._fetch, self._place = size, fetch, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        end = min(self._size, self._place + len(buffer))
        if end <= self._place:
            return 0
        data = self._fetch(self._place, end)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
