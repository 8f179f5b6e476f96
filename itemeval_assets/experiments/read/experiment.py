"""An experiment as published in a bucket or folder: its versions, runs and results."""

from dataclasses import dataclass

import pandas as pd

from itemeval_assets.experiments.errors import (
    ExperimentNotFoundError,
    ExperimentVersionNotFoundError,
    SpecError,
)
from itemeval_assets.experiments.layout.keys import is_experiment_name
from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.experiments.layout.settings import storage_settings as load_storage_settings
from itemeval_assets.experiments.layout.versions import SemVer, VersionBump, next_version
from itemeval_assets.experiments.spec.models import In, Out
from itemeval_assets.storage.objects.backends import open_backend

from .named import NamedExperiment
from .run import ExperimentRun
from .version import VersionedExperiment


@dataclass
class PublishedExperiment(NamedExperiment[In, Out]):
    """An experiment over all its versions, to be read.

    `runnable` is its function, or its name. The folder is `run_name` if it is given, else the
    experiment's name. Making one uses no network.
    """

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
