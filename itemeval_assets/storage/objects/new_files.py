"""Files that a command makes outside of a study's results: all of them, or none."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.storage.locking.files import file_held
from itemeval_assets.storage.own_files import draft_name

from .disk import reason_of, write_synced

_ANYBODY_WRITES = 0o222


def write_new(contents: Mapping[Path, bytes]) -> list[Path]:
    """Write files that are not there yet, and their folders; the paths, in order.

    Raises ConfigError where one is there already, or cannot be written: then all is as before.
    """
    made: list[Path] = []
    path = Path()
    try:
        present = [str(path) for path in contents if path.exists()]
        if present:
            raise ConfigError(f"{', '.join(present)}: already there; choose another folder")
        for path, content in contents.items():
            for folder in reversed(path.parents):
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
            made.append(path)
            path.write_bytes(content)
    except OSError as error:
        for done in reversed(made):
            with suppress(OSError):
                done.rmdir() if done.is_dir() else done.unlink()
        raise ConfigError(
            f"cannot write {path}: {reason_of(error)}; or choose another folder. "
            "Nothing is left half-written"
        ) from error
    return [*contents]


def add_lines(path: Path, text: str) -> None:
    """Add the lines that a file lacks to its end. Raises ConfigError where it cannot be written."""
    try:
        present = path.read_text("utf-8", "surrogateescape")
        missing = [line for line in text.splitlines() if line not in present.splitlines()]
        if missing:
            end = "" if present.endswith("\n") or not present else "\n"
            with path.open("a", encoding="utf-8") as file:
                file.write("\n".join([end, *missing, ""]) if present else text)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {reason_of(error)}") from error


def require_replaceable(path: Path, what: str) -> None:
    """Raise ConfigError where a file may not be written; root, who could, is refused as others.

    `what` is to be written into it.
    """
    if not (path.stat().st_mode & _ANYBODY_WRITES and os.access(path, os.W_OK)):
        raise ConfigError(
            f"{path} is read-only, and {what} is written into it: allow writing (chmod u+w)"
        )


def require_unchanged(path: Path, before: bytes | None) -> None:
    """Raise ConfigError where a file holds something else than `before`."""
    try:
        is_same = path.read_bytes() == before
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {reason_of(error)}") from error
    if not is_same:
        raise ConfigError(f"{path} changed since it was read; give the same command again")


def replace_file(path: Path, before: bytes, after: bytes) -> None:
    """Put new content in the place of the old, at once, with the same mode and owner.

    Raises ConfigError where the file holds something else by now, or cannot be written: then it is
    as before. Of two commands that do so at once, the second finds what the first has written.
    """
    try:
        with file_held(path) as is_same:
            require_unchanged(path, before if is_same else None)
            _put(path, after)
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {reason_of(error)}. It is as it was before"
        ) from error


def _put(path: Path, content: bytes) -> None:
    draft = path.with_name(draft_name())
    try:
        write_synced(draft, content)
        shutil.copymode(path, draft)
        with suppress(OSError, AttributeError):  # only root may, and only on Unix
            os.chown(draft, path.stat().st_uid, path.stat().st_gid)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
