"""An experiment to be published and run: what users make of a function."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, cast

from itemeval_assets.instances.migrations import quiet_migrations

from .layout.settings import ExperimentRunSettings, require_kind
from .layout.versions import SemVer, VersionBump
from .publish.specs import publish
from .read.experiment import PublishedExperiment
from .read.run import ExperimentRun
from .registry import Experiment, as_experiment
from .spec.models import In, Out

if TYPE_CHECKING:
    import dagster as dg

    from .runs.refs import RunRef


@dataclass
class BaseExperiment(PublishedExperiment[In, Out], Generic[In, Out]):
    """An experiment over all its versions.

    `runnable` is a function decorated by `@experiment`, a plain function that could be, or the
    name of an experiment that is only read. The folder is `run_name` if it is given, else the
    experiment's name. Making one uses no network.
    """

    def __post_init__(self) -> None:
        if not isinstance(self.runnable, str | Experiment):
            self.runnable = as_experiment(self.runnable)
        super().__post_init__()

    @property
    def experiment(self) -> Experiment[In, Out]:
        return cast("Experiment[In, Out]", super().experiment)

    def allocate(
        self,
        specs: Sequence[In] | In,
        version: SemVer | VersionBump = "bumpmajor",
        *,
        start: bool = True,
        run_settings: ExperimentRunSettings | None = None,
        instance: "dg.DagsterInstance | None" = None,
    ) -> "tuple[ExperimentRun[In, Out], RunRef]":
        """Publish a new run of these specs, and start it on Dagster.

        All input is checked before anything is written, and a publication that fails leaves
        nothing behind. Your specs do not change: the run has copies with `experiment_id`,
        `sort_index` and the run ids set, and with uploads in place of local files. Returns at
        once; `RunRef.result()` waits. `start=False` only publishes. The default of `instance` is
        that of DAGSTER_HOME; if this is not set, a started run uses one in memory.

        Raises ConfigError for wrong settings, SpecError for specs that cannot be published,
        StoreError if the store cannot be written. `RunRef.result()` raises later errors.
        """
        with quiet_migrations():
            from .runs.launch import launch, require_known, require_startable  # noqa: PLC0415 (loads Dagster)
        settings = _settings(run_settings)
        if start:
            require_startable(self.experiment, settings, _count(specs))
        else:
            require_known(instance)
        run = publish(self, specs, version, settings)
        return run, launch(run, settings, instance, start=start, first=True)

    def resume(
        self,
        run: ExperimentRun[In, Out],
        *,
        run_settings: ExperimentRunSettings | None = None,
        instance: "dg.DagsterInstance | None" = None,
    ) -> "RunRef":
        """Run the specs of a published run that failed or were not run yet."""
        with quiet_migrations():
            from .runs.launch import launch, require_startable  # noqa: PLC0415 (loads Dagster)
        settings = _settings(run_settings)
        require_startable(self.experiment, settings, run.status().specs or 1)
        return launch(run, settings, instance, start=True, first=False)


def _settings(given: ExperimentRunSettings | None) -> ExperimentRunSettings:
    settings = ExperimentRunSettings() if given is None else given
    require_kind(settings, ExperimentRunSettings, "run_settings")
    return settings


def _count(specs: object) -> int:
    return len(specs) if isinstance(specs, Sized) else 1
