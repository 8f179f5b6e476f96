"""Reads .eval logs, also those of runs that were killed.

Until there is one to read, inspect_ai is not loaded: most looks at a study find none.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

from itemeval_assets.core.errors import StoreError

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


def read_log(path: Path, place: str | None = None) -> "EvalLog":
    """A log with its samples; also one whose run was killed. Raises StoreError if unreadable.

    `place`: where it lies, if `path` is a copy.
    """
    return _read(path, place, header_only=False)


def read_log_header(path: Path, place: str | None = None) -> "EvalLog":
    """A log without its samples. Raises StoreError if unreadable."""
    return _read(path, place, header_only=True)


def _read(path: Path, place: str | None, header_only: bool) -> "EvalLog":
    from inspect_ai.log import read_eval_log

    while True:
        before = _version_of(path)
        try:
            return read_eval_log(str(path), header_only=header_only)
        except Exception as error:  # inspect, zipfile and pydantic each raise their own
            if _version_of(path) not in (before, None):
                continue  # a run in progress has put a longer one in its place meanwhile
            raise StoreError(
                f"{place or path} is not a readable .eval log: {_why(path, error)}. Restore it "
                "from a copy, or move it out of the study's logs/ folder to go on without it"
            ) from error


def _why(path: Path, error: Exception) -> str:
    """Why a log cannot be read; of one that is no archive, libraries say so in words of theirs."""
    if path.is_file() and not path.stat().st_size:
        return "it is empty"
    if path.is_file() and not is_zipfile(path):
        return "it is cut short, or is no .eval file"
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def _version_of(path: Path) -> tuple[int, ...] | None:
    """Which file this is; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
