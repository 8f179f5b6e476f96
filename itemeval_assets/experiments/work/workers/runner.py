"""Runs the specs of shards for the ops of one process, where the settings and limits say."""

from collections.abc import Collection, Generator, Sequence
from functools import cached_property
from typing import Literal

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.experiments.layout.settings import ExperimentRunSettings, storage_settings
from itemeval_assets.experiments.outputs.outcomes import Failure, Outcome
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.work.fetching import Fetcher
from itemeval_assets.experiments.work.partitions import partition_of_run
from itemeval_assets.experiments.work.run_spec import failed, file_store, run_spec

from .lookout import Lookout
from .pool import WorkerPool
from .watch import Watch
from .worker import Setup

# A run of so many specs, or fewer, is over before processes for them would pay.
_SMALL = 100
_CUT_OFF = Failure(
    "ProcessEnded",
    "the process of an earlier attempt ended during this spec, so this attempt skipped it. "
    "resume() tries it again",
)


def chosen_executor(
    experiment: ExperimentFunction, settings: ExperimentRunSettings, specs: int
) -> Literal["in_process", "multiprocess"]:
    """Where the specs of a run are run. Raises ConfigError where they cannot be run there."""
    needs = experiment.limits.named
    if settings.executor == "in_process" and needs:
        raise ConfigError(
            f"{experiment.name} has {needs}, which need separate processes: use "
            'executor="multiprocess", or leave executor out'
        )
    if settings.executor == "multiprocess" or (settings.executor == "auto" and needs):
        if not experiment.is_importable:
            reason = f"{needs} needs other processes, and " if needs else ""
            remedy = "leave it out" if needs else 'use executor="in_process"'
            raise ConfigError(
                f"{reason}{experiment.origin} cannot be imported by other processes: it is defined "
                f"in the script that runs, or inside a function; move it to a module, or {remedy}"
            )
        return "multiprocess"
    if settings.executor == "auto" and specs > _SMALL and experiment.is_importable:
        return "multiprocess"
    return "in_process"


class SpecRunner:
    """Runs specs. Its processes stay warm from shard to shard, until `close`.

    `settings` default to those of the environment; `watch` is that of whoever waits for the run.
    """

    def __init__(
        self, settings: ExperimentRunSettings | None = None, watch: Watch | None = None
    ) -> None:
        self.watch = watch or Watch()
        self._given = settings
        self._pools: dict[str, WorkerPool] = {}

    def outcomes(
        self,
        run: ExperimentRun,
        shard: int,
        specs: Sequence[ExperimentInputSpec],
        cut_off: Collection[int] = (),
    ) -> Generator[Outcome, None, None]:
        """One outcome for each spec, in any order.

        `cut_off`: the `sort_index` of those that an earlier attempt did not survive, perhaps by
        their own doing. They get processes of their own, whatever the settings say. Raises
        ConfigError where the specs cannot be run as the settings say, Stopped when that is wanted.
        """
        experiment = run.versioned_experiment.base_experiment.experiment
        executor = chosen_executor(experiment, self.settings, run.status().specs or len(specs))
        if executor == "multiprocess":
            yield from self._apart(run, specs)
            return
        sound = [spec for spec in specs if spec.sort_index not in cut_off]
        suspects = [spec for spec in specs if spec.sort_index in cut_off]
        yield from self._in_process(run, shard, sound)
        if experiment.is_importable:
            yield from self._apart(run, suspects)
        else:
            yield from (failed(spec, _CUT_OFF) for spec in suspects)

    @cached_property
    def settings(self) -> ExperimentRunSettings:
        """How runs are run. Raises ConfigError where the environment says something else."""
        return self._given or ExperimentRunSettings()

    def close(self) -> None:
        """End the processes."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _apart(
        self, run: ExperimentRun, specs: Sequence[ExperimentInputSpec]
    ) -> Generator[Outcome, None, None]:
        if specs:
            yield from self._pool(run).outcomes(specs, self.watch.check)

    def _pool(self, run: ExperimentRun) -> WorkerPool:
        if run.experiment_id not in self._pools:
            base = run.versioned_experiment.base_experiment
            limits = base.experiment.limits
            given = base.storage_settings
            storage = storage_settings(given.location, given.BUCKET_PREFIX)
            setup = Setup(
                base.experiment.origin, partition_of_run(run), storage, limits.memory_bytes
            )
            self._pools[run.experiment_id] = WorkerPool(setup, self.settings.workers, limits)
        return self._pools[run.experiment_id]

    def _in_process(
        self, run: ExperimentRun, shard: int, specs: Sequence[ExperimentInputSpec]
    ) -> Generator[Outcome, None, None]:
        if not specs:
            return
        experiment = run.versioned_experiment.base_experiment.experiment
        fetch, store_file = Fetcher(run.backend), file_store(run)
        with Lookout.open(run, shard) as lookout:
            for spec in specs:
                spec._fetch = fetch
                for attempt in range(experiment.limits.retries + 1):
                    self.watch.check()
                    with lookout.over(spec), self.watch.at_work():
                        outcome = run_spec(experiment, spec, store_file)
                    if outcome.failure is None or attempt == experiment.limits.retries:
                        yield outcome
                        break
