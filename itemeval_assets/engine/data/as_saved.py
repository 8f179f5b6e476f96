"""How a spreadsheet has saved a table: delimiter and encoding are those of its country."""

from collections import Counter
from pathlib import Path

from itemeval_assets.core.config.sections import DatasetConfig

__all__ = ["as_saved"]

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",;\t"


def as_saved(path: Path) -> DatasetConfig:
    """A table as a dataset, with what its first bytes tell of how it is written."""
    if path.suffix.lower() != ".csv":
        return DatasetConfig(id=path.name)
    data = path.read_bytes()
    encoding = _encoding(data)
    head = data.decode(encoding or "utf-8", "replace").partition("\n")[0]
    counts = Counter({mark: head.count(mark) for mark in _DELIMITERS})
    return DatasetConfig(id=path.name, delimiter=counts.most_common(1)[0][0], encoding=encoding)


def _encoding(data: bytes) -> str | None:
    if data.startswith(_UTF_16):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return None
