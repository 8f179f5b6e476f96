"""Where experiments are published, and how they are run: read from the environment at the edge."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from itemeval_assets.core.errors import ConfigError

_S3 = "s3://"
_FILE = "file://"
_ACCEPTED = (
    "an S3 bucket as name or s3://name, or a folder as /path, ./path, ~/path or file:///path"
)
# What Amazon allows; servers that speak its protocol allow no more.
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class _Settings(BaseSettings):
    """Given in code, or by the environment. Raises ConfigError that says which is wrong."""

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise ConfigError("\n".join(self._told(error, given))) from error

    @classmethod
    def _told(cls, error: ValidationError, given: Mapping[str, Any]) -> Iterator[str]:
        for found in error.errors():
            name = str(found["loc"][0])
            if found["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                yield f"{cls.__name__} has no setting {name!r}; it has {known}"
                continue
            variable = f"{cls.model_config.get('env_prefix', '')}{name.upper()}"
            place = f"{cls.__name__}({name}=...)" if name in given else variable
            yield f"{place}: {found['msg'].removeprefix('Value error, ')}"


def require_kind(given: object, kind: type[BaseSettings], name: str) -> None:
    """Raise ConfigError unless settings are of their class."""
    if not isinstance(given, kind):
        raise ConfigError(f"{name} is a {type(given).__name__}; give {kind.__name__}(...)")


class ExperimentStorageSettings(_Settings):
    """Read from `SCYTHE_STORAGE_BUCKET` and `SCYTHE_STORAGE_BUCKET_PREFIX`.

    Raises ConfigError for a bucket name that S3 would refuse.
    """

    model_config = SettingsConfigDict(env_prefix="SCYTHE_STORAGE_", frozen=True)

    BUCKET: str = Field(
        default="./experiments",
        description="an S3 bucket, by name or as s3://name; or a folder: a path that begins with "
        "'/', '.', '~' or file://",
    )
    BUCKET_PREFIX: str = Field(
        default="scythe", description="where in the bucket or folder experiments begin"
    )

    @field_validator("BUCKET")
    @classmethod
    def _bucket_or_folder(cls, value: str) -> str:
        name = value.removeprefix(_S3).rstrip("/")
        if _is_folder(value) or _BUCKET_NAME.fullmatch(name):
            return value
        if "://" in name:
            raise ValueError(f"{value!r} is not a supported location; give {_ACCEPTED}")
        if "/" in name:
            bucket, _, prefix = name.partition("/")
            folder = "" if value.startswith(_S3) else f"; for a folder write ./{value}"
            raise ValueError(
                f"{value!r} has a path after the bucket; write {bucket!r}, and the path {prefix!r} "
                f"in BUCKET_PREFIX{folder}"
            )
        folder = f"; for a folder write ./{value}" if value and name == value else ""
        raise ValueError(
            f"{value!r} is no bucket name (3 to 63 of a-z, 0-9, '.', '-'){folder}. Give {_ACCEPTED}"
        )

    @field_validator("BUCKET_PREFIX")
    @classmethod
    def _relative(cls, value: str) -> str:
        parts = [part for part in value.split("/") if part]
        if ".." in parts or "." in parts:
            raise ValueError(f"{value!r} may not hold '.' or '..'")
        return "/".join(parts)

    @property
    def location(self) -> str:
        """`s3://bucket`, or the absolute path of the folder."""
        if _is_folder(self.BUCKET):
            return str(Path(self.BUCKET.removeprefix(_FILE)).expanduser().resolve())
        return _S3 + self.BUCKET.removeprefix(_S3).rstrip("/")


def _is_folder(bucket: str) -> bool:
    """Whether a bucket setting means a folder of this machine."""
    return bucket.startswith(("/", ".", "~", _FILE))


def storage_settings(
    bucket: str | None = None, bucket_prefix: str | None = None
) -> ExperimentStorageSettings:
    """The storage settings of the environment, less what is given.

    Raises ConfigError that names the variable, and what to write in it.
    """
    given = {"BUCKET": bucket, "BUCKET_PREFIX": bucket_prefix}
    return ExperimentStorageSettings(**{k: v for k, v in given.items() if v is not None})


# The name that code written for scythe-engine imports.
ScytheStorageSettings = ExperimentStorageSettings


class ExperimentRunSettings(_Settings):
    """Read from the environment variables `ITEMEVAL_ASSETS_EXPERIMENT_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="ITEMEVAL_ASSETS_EXPERIMENT_", frozen=True)

    shard_size: int | None = Field(
        default=None, ge=1, description="specs per Dagster op; unset: 500"
    )
    executor: Literal["auto", "in_process", "multiprocess"] = Field(
        default="auto",
        description="where specs run: in the process of the op, or in separate processes that are "
        "reused; auto: in separate processes if there are more than 100 specs, or limits of time "
        "or memory",
    )
    max_concurrent: int | None = Field(
        default=None, ge=1, description="processes for specs; unset: one per core"
    )

    @property
    def workers(self) -> int:
        """How many processes run specs at a time."""
        return self.max_concurrent or os.cpu_count() or 1
