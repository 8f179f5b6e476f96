"""Which files `--out` may replace: pages and tables of the same study.

A page says in its head what wrote it, and of which study. Of a CSV its first two columns tell what
it is, and its last column, `study`, of which one; a matrix has none.
"""

import csv
import re
from contextlib import suppress
from pathlib import Path

from itemeval_assets.core.errors import ConfigError

# As page.html has it.
_MARK = re.compile(r'<meta name="generator" content="itemeval-assets, study ([^"]*)">')
_START = 4096
# The column of a CSV that has the name of its study.
STUDY = "study"


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


def require_own_table(path: Path, text: str, study: str) -> None:
    """Raise ConfigError for a file that is there, and does not begin as this text of a CSV.

    So for one whose first row is of another study.
    """
    start = _start_of(path)
    if not start:
        return
    if _first_columns(start) != _first_columns(text):
        raise _taken(path, "this file has no table of this command")
    found = _study_of(path)
    if found not in (None, study):
        raise _taken(path, f"this table is of the study {found}, and not of {study}")


def _study_of(path: Path) -> str | None:
    """The study of the first row of a table; null where its last column has none."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file, suppress(csv.Error):
        table = csv.DictReader(file)
        if (table.fieldnames or [""])[-1] == STUDY:
            return next(table, {}).get(STUDY)
    return None


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
