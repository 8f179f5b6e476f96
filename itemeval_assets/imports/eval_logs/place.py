"""Where the logs of an import lie: in one folder with those below it, in a bucket, or one file."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.logs.reading import read_log, read_log_header
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.own_files import LOG, data_files

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


class LogFolder:
    """The logs of an import by their keys. What an import has made of them is none of them.

    Its methods raise StoreError for a log that cannot be read, which names its place.
    """

    def __init__(self, folder: str, keys: list[str], study: Study | None = None) -> None:
        self.source = open_backend(folder)
        own = f"{study.location}/" if study else None
        self._keys = [key for key in keys if not (own and self.source.uri(key).startswith(own))]

    @cached_property
    def headers(self) -> "dict[str, EvalLog]":
        """All logs without their samples, in the order in which they were written."""
        stats = self.source.stats()
        keys = sorted(self._keys, key=lambda key: (stats[key].changed_at, key))
        return {key: self._read(read_log_header, key) for key in keys}

    def log(self, key: str) -> "EvalLog":
        """A log with its samples."""
        return self._read(read_log, key)

    def data(self, key: str) -> Path:
        """The file of a log, or a copy of it here."""
        return self.source.local_copy(key)

    def _read(self, read: "Callable[[Path, str], EvalLog]", key: str) -> "EvalLog":
        try:
            return read(self.data(key), self.source.uri(key))
        except StoreError as error:
            said = str(error).partition(" Restore it")[0]
            raise StoreError(
                f"{said} Restore it from a copy, or take it out of what is imported. Nothing was "
                "taken"
            ) from error


def place_of(path: str, config: str | Path) -> tuple[str, list[str]]:
    """A folder, and the keys of the logs in it. Raises ConfigError for what is no such place."""
    if "://" in path and path.endswith(LOG):
        folder, _, name = path.rpartition("/")
        return folder, [name] if open_backend(folder).exists(name) else _no_logs(path)
    file = None if "://" in path else Path(path).expanduser().resolve()
    if file is not None and file.is_file() and file.suffix == LOG:
        return str(file.parent), [file.name]
    if file is not None and not file.is_dir():
        raise ConfigError(
            f"PATH, the first argument, is no folder and no {LOG} file: {path}. It is where the "
            f"logs lie; the YAML of the study that takes them in comes second: itemeval-assets "
            f"import LOGS {config}"
        )
    folder = str(file or path)
    keys = open_backend(folder).list("")
    logs = data_files(keys, LOG)
    return folder, logs or _no_logs(path, sum(key.endswith(".json") for key in keys))


def _no_logs(path: str, in_json: int = 0) -> NoReturn:
    more = (
        f", but {counted(in_json, 'JSON file')}. Logs in JSON become {LOG} files by: inspect log "
        f"convert --to eval --output-dir LOGS {path}"
        if in_json
        else ""
    )
    raise StoreError(f"{path} holds no {LOG} log{more}. Nothing was taken")
