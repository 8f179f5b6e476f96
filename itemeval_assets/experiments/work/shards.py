"""What the ops of a run do: choose shards, run one, gather. Only the bucket passes between them."""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.layout.keys import RunPlace
from itemeval_assets.experiments.layout.records import Completion
from itemeval_assets.experiments.outputs.gather import gather
from itemeval_assets.experiments.outputs.shard_output import ShardOutput, UnreadableShardError, done
from itemeval_assets.experiments.publish.publication import complete
from itemeval_assets.experiments.read.counted import n_rows
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.models import In
from itemeval_assets.experiments.spec.transport import decode_specs
from itemeval_assets.storage.objects.backends import Backend

from .shard_store import Saver, ShardStore
from .workers.runner import SpecRunner

# Seconds between two lines that say how far a shard is.
_TELL_EVERY_S = 30.0


def pending_shards(run: ExperimentRun) -> dict[int, int]:
    """{shard: how many of its specs have not succeeded yet}, in order, without finished ones."""
    place, backend = run.place, run.backend
    outputs = backend.list(place.shard_outputs)
    left = ((shard, _n_left(backend, place, shard, outputs)) for shard in _all_shards(run))
    return {shard: specs for shard, specs in left if specs}


def run_shard(
    run: ExperimentRun,
    shard: int,
    runner: SpecRunner,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[int, int]:
    """Run the specs of a shard that have not succeeded, and keep what they led to.

    It is kept as they end, also when the process is interrupted, so that a run that is taken up
    again repeats next to nothing. `tell` is given a line now and then. Returns how many of all
    specs of the shard have succeeded, and how many have failed.
    """
    experiment = run.versioned_experiment.base_experiment.experiment
    store = ShardStore(run.backend, run.place, shard)
    stored, broken = store.mend()
    for uri in broken:
        tell(f"{uri} was unreadable, and is removed: its specs are run again")
    finished, cut_off = done(stored), store.cut_off()
    specs = _specs(run, shard, experiment.input_type)
    todo = [spec for spec in specs if spec.sort_index not in finished]
    said = _Lines(shard, len(todo), tell)
    with Saver(store) as saver, closing(runner.outcomes(run, shard, todo, cut_off)) as outcomes:
        for outcome in outcomes:
            saver.take(outcome)
            runner.watch.count(outcome)
            said.count(failed=outcome.failure is not None)
    if cut_off:
        store.forget_cut_off()
    return len(specs) - said.failed, said.failed


def gather_run(run: ExperimentRun) -> Completion:
    """Write the final frames anew from the outputs of all shards, and say how the run ended."""
    place, backend = run.place, run.backend
    outputs = backend.list(place.shard_outputs)
    output_type = run.versioned_experiment.base_experiment.experiment.output_type
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        sources = [
            partial(_gathered, ShardStore(backend, place, shard, outputs))
            for shard in _all_shards(run)
        ]
        found = gather(sources, Path(folder), output_type)
        _require_all(run, found.succeeded + found.failed)
        for name, path in found.files.items():
            backend.upload(path, place.final_file(name))
    # Frames of an earlier attempt that this one has not: its errors, when all went well now.
    for key in backend.list(place.final):
        name = place.final_name(key)
        if name is not None and name not in found.files:
            backend.delete(key)
    completion = Completion.of(found.succeeded, found.failed)
    complete(run, completion)
    return completion


def _gathered(store: ShardStore) -> ShardOutput:
    found = store.read()
    if not found.outcomes:
        raise StoreError(
            f"{store.uri} is missing; materialize the run's partition again, or call resume()"
        )
    return found


class _Lines:
    """Counts the specs of a shard, and says now and then how far it is."""

    def __init__(self, shard: int, total: int, tell: Callable[[str], None]) -> None:
        self.failed = 0
        self._done, self._total, self._shard, self._tell = 0, total, shard, tell
        self._told = time.monotonic()

    def count(self, *, failed: bool) -> None:
        self._done += 1
        self.failed += failed
        if time.monotonic() - self._told >= _TELL_EVERY_S:
            self._told = time.monotonic()
            self._tell(
                f"shard {self._shard}: {self._done} of {self._total} specs, {self.failed} failed"
            )


def _require_all(run: ExperimentRun, found: int) -> None:
    """Raise StoreError when specs of a run have no outcome: what exchanges them was changed."""
    published = n_rows(run.backend, run.place.specs)
    if published is not None and found != published:
        raise StoreError(
            f"{run.backend.uri(run.place.exchange)}: {found} of {published} specs have an outcome. "
            "Objects there were changed or truncated; restore them, or allocate the specs again"
        )


def _n_left(backend: Backend, place: RunPlace, shard: int, outputs: list[str]) -> int:
    """How many specs of a shard have not succeeded."""
    wanted = len(_input(backend, place, shard).splitlines())
    try:
        return wanted - len(done(ShardStore(backend, place, shard, outputs).read()))
    except UnreadableShardError:
        return wanted


def _input(backend: Backend, place: RunPlace, shard: int) -> bytes:
    key = place.shard_input(shard)
    data = backend.read(key)
    if data is None:
        raise StoreError(
            f"{backend.uri(key)} is missing, and cannot be rebuilt: allocate the specs again"
        )
    return data


def _specs(run: ExperimentRun, shard: int, input_type: type[In]) -> list[In]:
    """The specs of a shard. Raises SpecError that names the object that holds none."""
    data = _input(run.backend, run.place, shard)
    try:
        return decode_specs(data, input_type)
    except SpecError as error:
        raise SpecError(
            f"{run.backend.uri(run.place.shard_input(shard))}: {error}; it is damaged, or the type "
            "has changed since: restore the object or the type, or allocate the specs again"
        ) from error


def _all_shards(run: ExperimentRun) -> list[int]:
    """The shards of a run. Raises StoreError where they are gone, SpecError where they are others':
    other programs lay out runs otherwise."""
    inputs = run.backend.list(run.place.shard_inputs)
    shards = sorted(shard for key in inputs if (shard := RunPlace.shard_of(key)) is not None)
    if not inputs:
        raise StoreError(
            f"{run.backend.uri(run.place.shard_inputs)} is missing: it held the specs to be run. "
            "Results stay as they are; restore it, or allocate the specs again"
        )
    if not shards:
        raise SpecError(
            f"{run.uri} has no specs to be run: another program has written it. "
            "Its results stay as they are; to run its specs, allocate them again"
        )
    return shards
