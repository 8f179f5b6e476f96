"""The folders that inspect_ai keeps for a user: an eval needs none, and goes on without them.

In one are traces of its work and marks for its viewer, in the other the answers of its cache. By
default both lie in the home folder, which is often read-only in a container.
"""

import sys
import uuid
from contextlib import suppress
from logging import FileHandler, LogRecord
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from inspect_ai._util import appdirs, logger
from inspect_ai._util.constants import PKG_NAME
from inspect_ai.model._cache import _cache_root
from platformdirs import user_data_path

from itemeval_assets.core.errors import EnvironmentMissing

LOG_LEVEL = "error"
# Of a disk that is full, an empty file proves nothing.
_PROBE = b"\0" * 65_536

_instead: list["TemporaryDirectory[str]"] = []


def folders_left_out(uses_cache: bool) -> list[str]:
    """What an eval goes on without because its folder cannot be written: a line for each."""
    found = []
    if reason := _why_not_writable(_data_folder()):
        found.append(
            f"inspect_ai's folder {_data_folder()} cannot be written ({reason}): its traces are "
            "not kept. No study needs them. Set XDG_DATA_HOME to choose another folder"
        )
    if uses_cache and (reason := _why_not_writable(_cache_root())):
        found.append(
            f"inspect_ai's cache {_cache_root()} cannot be written ({reason}): answers are kept in "
            "the study alone. Set INSPECT_CACHE_DIR to choose another folder, or `cache: false` "
            "to need none"
        )
    return found


def inspect_places() -> list[str]:
    """Where inspect_ai writes during an eval, beside the logs."""
    return [str(appdirs.inspect_data_dir(None)), str(_cache_root())]


def with_usable_folders() -> None:
    """See to it that an eval of this process can write what it must: to be called before each.

    Raises EnvironmentMissing where there is not even a temporary folder, and for a file of
    traces that the environment names and nobody can write.
    """
    try:
        if not _why_not_writable(_data_folder()):
            _instead.clear()
        elif not _instead:
            _instead.append(TemporaryDirectory(prefix="itemeval_assets_"))
        appdirs.user_data_path = _path  # pyright: ignore[reportPrivateImportUsage]
        logger.init_logger(LOG_LEVEL)
    except OSError as error:
        raise EnvironmentMissing(
            f"inspect_ai cannot write {error.filename or _data_folder()}: {error.strerror or error}"
            ". No call was made. Set TMPDIR or XDG_DATA_HOME to a folder that can be written, and "
            "unset INSPECT_TRACE_FILE and INSPECT_PY_LOGGER_FILE, or name other files there"
        ) from error
    handler = logger._logHandler["handler"]
    if handler is not None:
        _let_go_when_full(handler)


def _path(name: str) -> Path:
    """In place of the function of that name that inspect asks where its folder is."""
    return Path(_instead[0].name) / name if _instead else user_data_path(name)


def _data_folder() -> Path:
    return user_data_path(PKG_NAME)


def _why_not_writable(folder: Path) -> str | None:
    """Why no file can be made in a folder, which is made if it is not there; null: one can."""
    probe = folder / f".{uuid.uuid4().hex}.probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(_PROBE)
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _let_go_when_full(handler: logger.LogHandler) -> None:
    """Write no trace after one that could not be written: Python would tell of each, at length."""
    traces = handler.trace_logger

    def let_go(record: LogRecord) -> None:
        if not isinstance(sys.exception(), OSError):
            FileHandler.handleError(traces, record)
            return
        handler.trace_logger_level = sys.maxsize
        # At the end of the process inspect packs the file, where it finds it.
        traces.baseFilename += ".not-packed"
        stream: Any = traces.stream
        traces.stream = None  # type: ignore[assignment]
        with suppress(OSError):
            stream.close()

    traces.handleError = let_go
