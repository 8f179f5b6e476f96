"""How a spreadsheet has saved a table: delimiter and encoding are those of its country."""

from collections import Counter
from contextlib import suppress
from pathlib import Path

from itemeval_assets.core.config.sections import DatasetConfig
from itemeval_assets.core.errors import DatasetError

from .misnamed import refuse_other_kinds

__all__ = ["as_saved"]

# The marks of UTF-32 begin with those of UTF-16.
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_ZEROS: dict[tuple[bool, ...], str] = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}
_DELIMITERS = ",;\t"


def as_saved(path: Path) -> DatasetConfig:
    """A table as a dataset, with what its first bytes tell of how it is written."""
    if path.suffix.lower() != ".csv":
        return DatasetConfig(id=path.name)
    data = path.read_bytes()
    encoding = _encoding(path, data)
    head = data.decode(encoding).partition("\n")[0]
    counts = Counter({mark: head.count(mark) for mark in _DELIMITERS})
    return DatasetConfig(id=path.name, delimiter=counts.most_common(1)[0][0], encoding=encoding)


def _encoding(path: Path, data: bytes) -> str:
    """Raises DatasetError for what is no text."""
    for encoding in (_by_first_bytes(data), "cp1252"):
        with suppress(UnicodeError):
            if "\x00" not in data.decode(encoding):
                return encoding
    refuse_other_kinds(path, data, "")
    raise DatasetError(
        f"{path} is no text in UTF-8, UTF-16, UTF-32 or cp1252: save it as CSV (UTF-8), or as .xlsx"
    )


def _by_first_bytes(data: bytes) -> str:
    """By the mark of the byte order, or by the zeros of a first letter; else UTF-8."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    zeros = tuple(byte == 0 for byte in data[:4])
    return _ZEROS.get(zeros, "utf-8")
