"""What the ops of a run do: choose shards, run one, gather. Only the bucket passes between them."""

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.backends import Backend

from .base import BaseExperiment
from .errors import SpecError
from .fetching import Fetcher
from .gather import gather
from .layout import RunPlace, timestamp_of
from .outcomes import StoreFile, run_spec
from .published import ExperimentRun, VersionedExperiment
from .records import Completion, to_yaml
from .registry import Experiment
from .settings import ExperimentStorageSettings
from .shard import Outcome, ShardOutput, done, merge
from .spec import ExperimentInputSpec
from .transport import decode_specs
from .versions import SemVer

__all__ = [
    "ShardCount",
    "gather_run",
    "partition_of_run",
    "pending_shards",
    "run_of_partition",
    "run_shard",
]

# What a killed process may lose: the specs of so many seconds, or of one spec that takes longer.
SAVE_EVERY_S = 10.0


@dataclass(frozen=True)
class ShardCount:
    """How many specs of a shard have succeeded, and how many have failed."""

    succeeded: int
    failed: int


def partition_of_run(run: ExperimentRun[Any, Any]) -> str:
    """The partition of a run: `<version>/<timestamp>`, after the folder where it has its own."""
    experiment = run.versioned_experiment.base_experiment
    short = run.experiment_id.removeprefix(f"{experiment.experiment.name}/")
    return short if experiment.base_id == experiment.experiment.name else run.experiment_id


def run_of_partition(
    experiment: Experiment[Any, Any], partition: str, storage: ExperimentStorageSettings
) -> ExperimentRun[Any, Any]:
    """The published run of a partition. Raises SpecError for a key that is none, NotFoundError."""
    above, _, time_ = partition.rpartition("/")
    folder, _, version = above.rpartition("/")
    timestamp, number = timestamp_of(time_), SemVer.from_folder(version)
    if timestamp is None or number is None:
        raise SpecError(
            f"partition {partition!r} is no run; write <version>/<timestamp>, "
            "as in v1.0.0/2025-07-23_12-59-51"
        )
    base = BaseExperiment(experiment, folder or None, storage)
    run = ExperimentRun(VersionedExperiment(base, number), timestamp)
    return run if base.backend.exists(run.place.manifest) else base.version(number).run_at(time_)


def pending_shards(run: ExperimentRun[Any, Any]) -> list[int]:
    """Shards with a spec that has not succeeded yet, in order."""
    place, backend = run.place, run.backend
    begun = set(_shards(backend.list(place.shard_outputs)))
    return [
        shard
        for shard in _all_shards(run)
        if shard not in begun or _is_missing_some(backend, place, shard)
    ]


def run_shard(run: ExperimentRun[Any, Any], shard: int) -> ShardCount:
    """Run the specs of a shard that have not succeeded, and keep what they led to.

    It is written every few seconds, and also when the process is interrupted, so that a run
    that is taken up again repeats next to nothing.
    """
    experiment = run.versioned_experiment.base_experiment.experiment
    place, backend = run.place, run.backend
    key = place.shard_output(shard)
    finished = done(_output(backend.read(key)))
    specs = decode_specs(_present(backend, place.shard_input(shard)), experiment.input_type)
    todo = [spec for spec in specs if spec.sort_index not in finished]
    fetch, store_file = Fetcher(backend), _store_file(run)
    with _Saver(backend, key) as saver:
        for spec in todo:
            spec._fetch = fetch
            saver.take(run_spec(experiment.fn, experiment.signature, spec, store_file))
    succeeded = len(finished | done(saver.saved))
    return ShardCount(succeeded, len(specs) - succeeded)


def gather_run(run: ExperimentRun[Any, Any]) -> Completion:
    """Write the final frames anew from the outputs of all shards, and say how the run ended."""
    place, backend = run.place, run.backend
    shards = _all_shards(run)
    output_type = run.versioned_experiment.base_experiment.experiment.output_type
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        sources = [_Source(backend, place.shard_output(shard)) for shard in shards]
        found = gather(sources, Path(folder), output_type)
        for name, path in found.files.items():
            backend.upload(path, place.final_file(name))
    # Frames of an earlier attempt that this one has not: its errors, when all went well now.
    for key in backend.list(place.final):
        name = place.final_name(key)
        if name is not None and name not in found.files:
            backend.delete(key)
    completion = Completion.of(found.succeeded, found.failed)
    backend.update(place.completion, lambda _: to_yaml(completion))
    return completion


@dataclass(frozen=True)
class _Source:
    """Reads a shard's output when it is asked to."""

    backend: Backend
    key: str

    def __call__(self) -> bytes:
        return _present(self.backend, self.key)


class _Saver:
    """Takes outcomes, and writes those of some seconds together; at the end, also of a bad one."""

    def __init__(self, backend: Backend, key: str) -> None:
        self.saved = ShardOutput(())
        self._backend, self._key = backend, key
        self._waiting: list[Outcome] = []
        self._since = time.monotonic()

    def __enter__(self) -> "_Saver":
        return self

    def __exit__(self, *_: object) -> None:
        self._save()

    def take(self, outcome: Outcome) -> None:
        self._waiting.append(outcome)
        if time.monotonic() - self._since >= SAVE_EVERY_S:
            self._save()
            self._since = time.monotonic()

    def _save(self) -> None:
        if self._waiting:
            self._backend.update(self._key, self._merged)
            self._waiting.clear()

    def _merged(self, stored: bytes | None) -> bytes:
        self.saved = merge(_output(stored), ShardOutput(self._waiting))
        return self.saved.encode()


def _store_file(run: ExperimentRun[Any, Any]) -> StoreFile:
    """Uploads an output file of a spec to results/<field>/<run id of the spec>.<ext>."""

    def store(field: str, spec: ExperimentInputSpec, path: Path) -> str:
        assert spec.workflow_run_id is not None
        key = run.place.result_file(field, spec.workflow_run_id, path.suffix)
        run.backend.upload(path, key)
        return run.backend.uri(key)

    return store


def _is_missing_some(backend: Backend, place: RunPlace, shard: int) -> bool:
    wanted = len(_present(backend, place.shard_input(shard)).splitlines())
    return len(done(_output(backend.read(place.shard_output(shard))))) < wanted


def _output(data: bytes | None) -> ShardOutput:
    return ShardOutput(()) if data is None else ShardOutput.decode(data)


def _present(backend: Backend, key: str) -> bytes:
    data = backend.read(key)
    if data is None:
        raise StoreError(
            f"{backend.uri(key)} is missing; materialize the run's partition again, which writes "
            "outputs anew; a missing input cannot be made up for: allocate the specs again"
        )
    return data


def _all_shards(run: ExperimentRun[Any, Any]) -> list[int]:
    """The shards of a run. Raises SpecError where there are none: others lay out runs otherwise."""
    shards = _shards(run.backend.list(run.place.shard_inputs))
    if not shards:
        raise SpecError(
            f"{run.uri} has no specs to be run: another program has written it. "
            "Its results stay as they are; to run its specs, allocate them again"
        )
    return shards


def _shards(keys: Iterable[str]) -> list[int]:
    found = (RunPlace.shard_of(key) for key in keys)
    return sorted(shard for shard in found if shard is not None)
