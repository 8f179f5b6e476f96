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
    if not start:
        return
    found = _MARK.search(start)
    if found is None:
        raise _taken(path, "this file is not by itemeval-assets")
    if found[1] != study:
        raise _taken(path, f"this page is of the study {found[1]}, and not of {study}")


def require_own_table(path: Path, text: str) -> None:
    """Raise ConfigError for a file that is there, and does not begin as this text of a CSV."""
    start = _start_of(path)
    if start and _first_columns(start) != _first_columns(text):
        raise _taken(path, "this file has no table of this command")


def _first_columns(text: str) -> list[str]:
    return next(csv.reader(text.splitlines()), [])[:2]


def _start_of(path: Path) -> str:
    """The start of a file; nothing where there is none. Raises ConfigError if it cannot be read."""
    try:
        return _start_in(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _taken(path, f"this file cannot be read ({error.strerror})") from error


def _start_in(path: Path) -> str:
    """From the first sign that is no blank: a file of blanks has nothing to lose."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        while part := file.read(_START):
            if found := part.lstrip():
                return found + file.read(_START)
    return ""


def _taken(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"--out {path}: {why}, and would be lost; give another name, or remove the file first"
    )
