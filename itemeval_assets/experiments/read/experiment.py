"""An experiment as published in a bucket or folder: its versions, runs and results."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic

import pandas as pd

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.experiments.errors import (
    ExperimentNotFoundError,
    ExperimentVersionNotFoundError,
    SpecError,
)
from itemeval_assets.experiments.layout.keys import NAME_RULE, ExperimentPlace, is_experiment_name
from itemeval_assets.experiments.layout.settings import (
    ExperimentStorageSettings,
    require_kind,
)
from itemeval_assets.experiments.layout.settings import storage_settings as load_storage_settings
from itemeval_assets.experiments.layout.versions import SemVer, VersionBump, next_version
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.spec.models import In, Out
from itemeval_assets.storage.objects.backends import Backend, open_backend

from .run import ExperimentRun
from .version import VersionedExperiment


@dataclass
class PublishedExperiment(Generic[In, Out]):
    """An experiment over all its versions, to be read.

    `runnable` is its function, or its name. The folder is `run_name` if it is given, else the
    experiment's name. Making one uses no network.
    """

    runnable: ExperimentFunction[In, Out] | Callable[..., Out] | str
    run_name: str | None = None
    storage_settings: ExperimentStorageSettings = field(default_factory=load_storage_settings)

    def __post_init__(self) -> None:
        require_kind(self.storage_settings, ExperimentStorageSettings, "storage_settings")
        if not is_experiment_name(self.base_id):
            raise ConfigError(
                f"{self.base_id!r} is no name of an experiment: {NAME_RULE}; choose another one"
            )

    @property
    def base_id(self) -> str:
        """The name of the experiment's folder."""
        return self.run_name or (
            self.runnable if isinstance(self.runnable, str) else self.experiment.name
        )

    @property
    def experiment(self) -> ExperimentFunction[In, Out]:
        """The registered function. Raises ConfigError when only a name was given."""
        if isinstance(self.runnable, ExperimentFunction):
            return self.runnable
        raise ConfigError(
            f"{self.runnable!r} is only the name of an experiment, which is enough to read it. To "
            "run it, give BaseExperiment the function"
        )

    @cached_property
    def backend(self) -> Backend:
        """The bucket or folder; keys below it begin with the bucket prefix."""
        return open_backend(self.storage_settings.location)

    @property
    def place(self) -> ExperimentPlace:
        return ExperimentPlace(self.storage_settings.BUCKET_PREFIX, self.base_id)

    @property
    def prefix(self) -> str:
        """The folder's key, with the bucket prefix."""
        return self.place.prefix

    def list_versions(self) -> list[VersionedExperiment[In, Out]]:
        """The published versions, lowest first; folders that are no version are passed over."""
        return [found for version in self._versions() if (found := self._at(version)).list_runs()]

    def latest_version(self) -> VersionedExperiment[In, Out] | None:
        """The highest published version, or None."""
        found = (self._at(version) for version in reversed(self._versions()))
        return next((version for version in found if version.list_runs()), None)

    @property
    def latest_run(self) -> ExperimentRun[In, Out]:
        """The newest run of the highest version. Raises ExperimentNotFoundError without any."""
        latest = self.latest_version()
        if latest is None:
            raise self._not_found()
        return latest.latest_run

    @property
    def latest_run_with_results(self) -> ExperimentRun[In, Out]:
        """The newest run that has ended with results, of the highest version that has one.

        A newer run that is unfinished, or in which every spec failed, is passed over. Raises
        ExperimentNotFoundError when nothing is published, ExperimentRunNotFoundError when no
        run has results.
        """
        versions = self.list_versions()
        if not versions:
            raise self._not_found()
        for version in reversed(versions):
            for run in reversed(version.list_runs()):
                if run.status().has_results:
                    return run
        return versions[-1].latest_run_with_results  # raises, and says how the runs stand

    @property
    def latest_results(self) -> dict[str, str]:
        """{name of a frame: its key} of `latest_run_with_results`."""
        return self.latest_run_with_results.list_results_files()

    def latest_results_for_version(self, version: SemVer) -> dict[str, str]:
        """{name of a frame: its key} of the version's newest run that has results."""
        return self.version(version).latest_run_results

    def load_results(self, name: str = "scalars") -> pd.DataFrame:
        """A frame of `latest_run_with_results`, with its MultiIndex."""
        return self.latest_run_with_results.load_results(name)

    def version(self, version: SemVer) -> VersionedExperiment[In, Out]:
        """A published version. Raises ExperimentVersionNotFoundError that lists them."""
        wanted = self._at(version)
        if wanted.list_runs():
            return wanted
        versions = self.list_versions()
        if not versions:
            raise self._not_found()
        raise ExperimentVersionNotFoundError(
            f"version {version}",
            self.backend.uri(self.prefix),
            "versions",
            [str(known.version) for known in reversed(versions)],
        )

    def resolve_next_version(self, version: SemVer | VersionBump = "bumpmajor") -> SemVer:
        """The version that a run allocated now would get."""
        latest = self.latest_version()
        prefix_of, list_keys = self.place.version_prefix, self.backend.list
        used = [found for found in self._versions() if list_keys(prefix_of(found))]
        try:
            return next_version(
                version, latest.version if latest else None, used[-1] if used else None
            )
        except ValueError as error:
            raise SpecError(str(error)) from error

    def _at(self, version: SemVer) -> VersionedExperiment[In, Out]:
        return VersionedExperiment(self, version)

    def _versions(self) -> list[SemVer]:
        """Every version that has a folder, published or not."""
        found = (SemVer.from_folder(name) for name in self.backend.folders(self.prefix))
        return sorted(version for version in found if version is not None)

    def _not_found(self) -> ExperimentNotFoundError:
        settings = self.storage_settings
        place = self.backend.uri(settings.BUCKET_PREFIX)
        return ExperimentNotFoundError(
            f"published run of experiment {self.base_id!r}",
            place,
            "experiments",
            list_experiments(settings),
        )


def list_experiments(storage_settings: ExperimentStorageSettings | None = None) -> list[str]:
    """Names of the experiments that have a published run."""
    settings = storage_settings or load_storage_settings()
    names = open_backend(settings.location).folders(settings.BUCKET_PREFIX)
    found: list[PublishedExperiment] = [
        PublishedExperiment(name, storage_settings=settings)
        for name in names
        if is_experiment_name(name)
    ]
    return [experiment.base_id for experiment in found if experiment.latest_version()]
