"""Which files `--out` may replace: pages of the same study, and tables with the same columns.

A page says in its head what wrote it, and of which study. A CSV has no place for that: its first
two columns tell.
"""

import csv
import re
from pathlib import Path

from itemeval_assets.core.errors import ConfigError

# As page.html has it.
_MARK = re.compile(r'<meta name="generator" content="itemeval-assets, study ([^"]*)">')
_START = 4096


def require_own_page(path: Path, study: str) -> None:
    """Raise ConfigError for a file that is there, and is no page of this study."""
    start = _start_of(path)
    if not start.strip():
        return
    found = _MARK.search(start)
    if found is None:
        raise _taken(path, "this file is not by itemeval-assets")
    if found[1] != study:
        raise _taken(path, f"this page is of the study {found[1]}, and not of {study}")


def require_own_table(path: Path, text: str) -> None:
    """Raise ConfigError for a file that is there, and does not begin as this text of a CSV."""
    start = _start_of(path)
    if start.strip() and _first_columns(start) != _first_columns(text):
        raise _taken(path, "this file has no table of this command")


def _first_columns(text: str) -> list[str]:
    return next(csv.reader(text.splitlines()), [])[:2]


def _start_of(path: Path) -> str:
    """The start of a file; nothing where there is none. What cannot be read is written, or not."""
    try:
        with path.open("rb") as file:
            return file.read(_START).decode("utf-8", "replace") if path.is_file() else ""
    except OSError:
        return ""


def _taken(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"--out {path}: {why}, and would be lost; give another name, or remove the file first"
    )
