"""Deployment settings: where studies are, and what a whole deployment shares.

Read once, at the edge, from the environment; everything inward gets a Settings object.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from .core.errors import ConfigError

HOME_FOLDER = "dagster_home"


class _Environment(BaseSettings):
    """Settings of the environment. Raises ConfigError that names the variables that are wrong."""

    def __init__(self, **given: Any) -> None:
        prefix = self.model_config.get("env_prefix", "")
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise ConfigError(
                "\n".join(
                    f"{prefix}{str(found['loc'][0]).upper()}: "
                    f"{found['msg'].removeprefix('Value error, ')}; found {found['input']!r}"
                    for found in error.errors()
                )
            ) from None
        except SettingsError as error:
            name = re.search(r'field "(\w+)"', str(error))
            variable = f"{prefix}{name[1].upper()}" if name else f"{prefix}*"
            raise ConfigError(f"{variable}: this is not valid JSON") from None


class Settings(_Environment):
    """Read from the environment variables `ITEMEVAL_ASSETS_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="ITEMEVAL_ASSETS_", extra="ignore", frozen=True)

    studies: str = Field(
        default="study.yaml:*/study.yaml:studies/*.yaml",
        description="study configs: paths or patterns, separated by ':', relative to `root`",
    )
    root: Path = Field(default_factory=Path.cwd, description="where the patterns start")
    owners: str = Field(default="", description="owners of all assets, separated by ','")
    webhook_url: SecretStr | None = Field(
        default=None, description="URL that messages about failures go to; unset: none"
    )
    study_files: tuple[Path, ...] = Field(
        default=(),
        description="study configs as they are, a JSON list: for paths with `:`; then no patterns",
    )
    ui_url: str = Field(default="", description="where the web UI is, for links in notifications")
    ui_origins: str = Field(
        default="",
        description="further addresses of the web UI, as browsers show them, separated by ','",
    )
    executor: Literal["in_process", "multiprocess", "celery"] = Field(
        default="in_process", description="where the steps of a run run"
    )

    def study_paths(self) -> list[Path]:
        """The config files that `studies` means, each once, in order.

        A pattern may match nothing; a path that was asked for by name stays in the list even
        if there is no such file, so that loading it says so. What is the path of a file is no
        pattern, whatever its characters.
        """
        if self.study_files:
            paths = (self.root / path.expanduser() for path in self.study_files)
            return list(dict.fromkeys(path.resolve() for path in paths))
        by_name = "studies" in self.model_fields_set
        found: dict[Path, None] = {}
        for text in filter(None, self.studies.split(":")):
            wanted = Path(text).expanduser()
            path = self.root / wanted
            if path.is_file() or not set(text) & set("*?["):
                matches = [path] if by_name or path.exists() else []
            elif wanted.is_absolute():
                root = Path(wanted.anchor)
                matches = sorted(root.glob(str(wanted.relative_to(root))))
            else:
                matches = sorted(self.root.glob(text))
            found.update(dict.fromkeys(match.resolve() for match in matches))
        return list(found)

    def owner_list(self) -> list[str]:
        return _words(self.owners)

    def ui_addresses(self) -> list[str]:
        """Where browsers see the web UI, beside this machine's own addresses."""
        return _words(f"{self.ui_url},{self.ui_origins}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


class S3Settings(_Environment):
    """Which S3, from the variables `ITEMEVAL_ASSETS_S3_<NAME>`.

    What is not set comes from where boto3 looks: `AWS_*` variables, profiles, the machine's
    role. Keys are never set here, so that no setting of ours is a secret.
    """

    model_config = SettingsConfigDict(env_prefix="ITEMEVAL_ASSETS_S3_", extra="ignore", frozen=True)

    endpoint_url: str | None = Field(
        default=None, description="the server, where it is not Amazon's: http://127.0.0.1:9000"
    )
    region_name: str | None = Field(default=None, description="its region")
    profile_name: str | None = Field(default=None, description="a profile of ~/.aws/config")
    max_attempts: int = Field(default=5, ge=1, description="how often a request is tried")
    lease_s: float = Field(
        default=60.0,
        ge=1,
        description="a machine that is silent for so many seconds loses its locks; the same on "
        "all machines of a study",
    )


def dagster_home_of(folder: Path) -> Path:
    """Where the runs of a project folder are recorded: `DAGSTER_HOME`, where it is set, wins."""
    given = os.environ.get("DAGSTER_HOME")
    return Path(given).expanduser().resolve() if given else nearest_dagster_home(folder)


def nearest_dagster_home(folder: Path) -> Path:
    """The Dagster home of a project: the nearest `dagster_home` at or above `folder`.

    Where there is none, the one that belongs beside the config.
    """
    folder = folder.resolve()
    for parent in (folder, *folder.parents):
        if (parent / HOME_FOLDER / "dagster.yaml").is_file():
            return parent / HOME_FOLDER
    return folder / HOME_FOLDER


def homes_beside(home: Path, configs: Iterable[Path]) -> dict[Path, Path]:
    """The studies whose runs are recorded in another Dagster home than this one: {config: home}."""
    homes = {config: nearest_dagster_home(config.parent) for config in configs}
    return {
        config: own
        for config, own in homes.items()
        # One that is not there yet is not made below a home that is.
        if own != home and (own.exists() or home.parent not in config.resolve().parents)
    }
