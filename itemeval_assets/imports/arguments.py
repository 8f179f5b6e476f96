"""The two arguments of an import, which are easily swapped."""

from pathlib import Path

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.engine.data.local_files import SUFFIXES
from itemeval_assets.storage.own_files import LOG


def require_two_arguments(path: str, config: str | Path) -> None:
    """Raise ConfigError where the first one is a file of another kind, or one of them is not there.

    The source comes first, then the YAML of the study.
    """
    is_file = "://" not in path and Path(path).expanduser().is_file()
    if is_file and Path(path).suffix.lower() not in (LOG, *SUFFIXES):
        raise ConfigError(
            f"PATH, the first argument, is a file: {path}. It is the folder of the itemeval study"
            f" or of logs, or a table of answers ({', '.join(SUFFIXES)}); the YAML of the study"
            f" that takes it in comes second: itemeval-assets import PATH {path}"
        )
    try:
        is_there = Path(config).expanduser().exists()
        is_source = "://" in path or Path(path).expanduser().exists()
    except (TypeError, ValueError, RuntimeError, OSError):
        return  # what reads it says why not
    if not is_there:
        raise ConfigError(
            f"CONFIG, the second argument: there is no config file {config}. It is the YAML of the"
            " study that takes in; the folder of the itemeval study comes first:"
            " itemeval-assets import FOLDER CONFIG"
        )
    if not is_source:
        raise ConfigError(
            f"PATH, the first argument: there is no file or folder {path}. Nothing was taken"
        )
