"""Where everything of a published experiment lies, relative to the bucket or folder.

The only module that knows a key:
`<prefix>/<experiment>/<version>/<timestamp>/...`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from .versions import SemVer

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
NAME_RULE = "it has letters (a-z, A-Z), digits, '_' and '-', and begins with a letter or a digit"
_TIMESTAMP_FORMAT = "%Y-%m-%d_%H-%M-%S"
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", re.ASCII)
_PARQUET = ".pq"


def is_experiment_name(name: str) -> bool:
    """Whether a name can be a folder's: no separator, no dot."""
    return _NAME.fullmatch(name) is not None


def timestamp_of(folder: str) -> datetime | None:
    """The time that a run's folder is named after, or None for a foreign folder."""
    if not _TIMESTAMP.fullmatch(folder):
        return None
    try:
        return datetime.strptime(folder, _TIMESTAMP_FORMAT)
    except ValueError:
        return None


@dataclass(frozen=True)
class ExperimentPlace:
    """The folder of one experiment."""

    bucket_prefix: str
    experiment: str

    @property
    def prefix(self) -> str:
        return "/".join(filter(None, (self.bucket_prefix, self.experiment)))

    def version_prefix(self, version: SemVer) -> str:
        return f"{self.prefix}/{version}"

    def run(self, version: SemVer, timestamp: datetime) -> "RunPlace":
        return RunPlace(self, version, timestamp.strftime(_TIMESTAMP_FORMAT))


@dataclass(frozen=True)
class _Below:
    """The key of what has this name in the folder of each run."""

    name: str

    def __get__(self, place: "RunPlace", owner: type) -> str:
        return f"{place.prefix}/{self.name}"


@dataclass(frozen=True)
class RunPlace:
    """The folder of one run.

    `exchange` is the folder through which the ops of a run pass specs and what came of them.
    """

    home: ExperimentPlace
    version: SemVer
    timestamp: str

    manifest = _Below("manifest.yml")
    io_spec = _Below("experiment_io_spec.yml")
    input_artifacts = _Below("input_artifacts.yml")
    specs = _Below("specs.pq")
    workflow_spec = _Below("workflow_spec.yml")
    completion = _Below("completion.yml")
    exchange = _Below("scatter-gather")
    shard_inputs = _Below("scatter-gather/input")
    shard_outputs = _Below("scatter-gather/output")
    final = _Below("final")

    @property
    def experiment_id(self) -> str:
        return f"{self.home.experiment}/{self.version}/{self.timestamp}"

    @property
    def prefix(self) -> str:
        return f"{self.home.version_prefix(self.version)}/{self.timestamp}"

    def artifact(self, field: str, file_name: str) -> str:
        return f"{self.prefix}/artifacts/{field}/{file_name}"

    def shard_input(self, shard: int) -> str:
        return f"{self.shard_inputs}/{shard:05d}.jsonl"

    def shard_output(self, shard: int) -> str:
        return f"{self.shard_outputs}/{shard:05d}.zip"

    def shard_part(self, shard: int, part: int) -> str:
        """What was saved of a shard before all of it was there."""
        return f"{self.shard_outputs}/{shard:05d}.{part:05d}.zip"

    def cut_off(self, shard: int) -> str:
        """The specs of a shard that were at work when their process ended."""
        return f"{self.exchange}/cut_off/{shard:05d}.json"

    def final_file(self, name: str) -> str:
        return f"{self.final}/{name}{_PARQUET}"

    def result_file(self, field: str, run_id: str, suffix: str) -> str:
        return f"{self.prefix}/results/{field}/{run_id}{suffix}"

    def final_name(self, key: str) -> str | None:
        """The name of a final frame by its key; None for anything else below `final`."""
        path = PurePosixPath(key)
        is_frame = str(path.parent) == self.final and path.suffix == _PARQUET
        return path.name.removesuffix(_PARQUET) if is_frame else None

    @staticmethod
    def shard_of(key: str) -> int | None:
        """The shard number of an input or output object; None for foreign objects."""
        stem = PurePosixPath(key).name.partition(".")[0]
        return int(stem) if stem.isascii() and stem.isdecimal() else None
