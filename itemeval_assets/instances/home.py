"""What makes a folder a Dagster home: a usable path, and our dagster.yaml."""

from importlib.resources import files
from pathlib import Path

from itemeval_assets.core.errors import ConfigError

CONFIG = "dagster.yaml"
# Dagster writes the path of a database into a URL, where these mean something else.
UNUSABLE = "?%"


def packaged_config() -> bytes:
    """Our dagster.yaml."""
    return (files("itemeval_assets") / "builtin" / CONFIG).read_bytes()


def require_usable(home: Path) -> None:
    """Raise ConfigError for a path that Dagster keeps no history in."""
    if wrong := set(str(home)) & set(UNUSABLE):
        raise ConfigError(
            f"{home}: Dagster cannot keep its history in a path with {' or '.join(sorted(wrong))}; "
            "rename the folder, or set DAGSTER_HOME to another one"
        )
