"""Where the logs of an import lie: in one folder with those below it, in a bucket, or one file."""

from pathlib import Path
from typing import NoReturn

from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.text.words import counted
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.own_files import LOG, data_files


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
