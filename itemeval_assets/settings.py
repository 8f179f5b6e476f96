"""Deployment settings: where studies are, and what a whole deployment shares.

Read once, at the edge, from the environment; everything inward gets a Settings object.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["HOME_FOLDER", "Settings", "dagster_home_for"]

HOME_FOLDER = "dagster_home"


class Settings(BaseSettings):
    """Environment variables `ITEMEVAL_ASSETS_<NAME>`; lists are JSON, or one plain value."""

    model_config = SettingsConfigDict(env_prefix="ITEMEVAL_ASSETS_", extra="ignore", frozen=True)

    studies: str = Field(
        default="study.yaml:*/study.yaml:studies/*.yaml",
        description="study configs: paths or patterns, separated by ':', seen from `root`",
    )
    root: Path = Field(default_factory=Path.cwd, description="where the patterns start")
    owners: str = Field(default="", description="owners of all assets, separated by ','")

    def study_paths(self) -> list[Path]:
        """The config files that `studies` means, each once, in order."""
        found: dict[Path, None] = {}
        for pattern in filter(None, self.studies.split(":")):
            if Path(pattern).is_absolute():
                found[Path(pattern)] = None
            else:
                found.update(dict.fromkeys(sorted(self.root.glob(pattern))))
        return list(found)

    def owner_list(self) -> list[str]:
        return [owner.strip() for owner in self.owners.split(",") if owner.strip()]


def dagster_home_for(folder: Path) -> Path:
    """The Dagster home of a project: the nearest `dagster_home` at or above `folder`.

    Where there is none, the one that belongs beside the config.
    """
    folder = folder.resolve()
    for parent in (folder, *folder.parents):
        if (parent / HOME_FOLDER / "dagster.yaml").is_file():
            return parent / HOME_FOLDER
    return folder / HOME_FOLDER
