"""Python leaves `__pycache__` beside each module it loads: not in the folders of a user's study."""

import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

_clean: set[Path] = set()
_write = SourceFileLoader.set_data


def leave_clean(folder: Path) -> None:
    """From now on, no compiled file is written below this folder, whoever imports what is there.

    Installed packages are compiled as ever, also those of an environment in that folder.
    """
    _clean.add(folder.resolve())
    SourceFileLoader.set_data = _set_data  # type: ignore[method-assign]


def _set_data(self: SourceFileLoader, path: str, data: Any, **options: Any) -> None:
    if not _is_clean(Path(path).resolve()):
        _write(self, path, data, **options)


def _is_clean(compiled: Path) -> bool:
    places = {*compiled.parents}
    is_installed = Path(sys.prefix).resolve() in places or Path(sys.base_prefix).resolve() in places
    return not is_installed and not _clean.isdisjoint(places)
