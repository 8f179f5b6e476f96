"""A published version of an experiment, and its runs."""

from dataclasses import dataclass

from itemeval_assets.experiments.errors import ExperimentRunNotFoundError
from itemeval_assets.experiments.layout.keys import timestamp_of
from itemeval_assets.experiments.spec.models import In, Out

from .named import NamedVersion
from .run import ExperimentRun


@dataclass(frozen=True)
class VersionedExperiment(NamedVersion[In, Out]):
    """One version of an experiment, with its runs."""

    def list_runs(self) -> list[ExperimentRun[In, Out]]:
        """The published runs, oldest first; folders that are no run are passed over."""
        backend = self.base_experiment.backend
        found = (timestamp_of(name) for name in backend.folders(self.prefix))
        runs = [ExperimentRun(self, timestamp) for timestamp in found if timestamp]
        return sorted(
            (run for run in runs if backend.exists(run.place.manifest)),
            key=lambda run: run.timestamp,
        )

    @property
    def latest_run(self) -> ExperimentRun[In, Out]:
        """The newest run, however it stands. Raises ExperimentRunNotFoundError without any."""
        runs = self.list_runs()
        if not runs:
            raise self._no_run("run", [])
        return runs[-1]

    @property
    def latest_run_with_results(self) -> ExperimentRun[In, Out]:
        """The newest run that has ended with results.

        Raises ExperimentRunNotFoundError that says how the runs stand, when there is none.
        """
        runs = self.list_runs()
        for run in reversed(runs):
            if run.status().has_results:
                return run
        raise self._no_run("run with results", runs)

    @property
    def latest_run_results(self) -> dict[str, str]:
        """{name of a frame: its key} of `latest_run_with_results`."""
        return self.latest_run_with_results.list_results_files()

    def run_at(self, timestamp: str) -> ExperimentRun[In, Out]:
        """The run of `2025-07-23_12-59-51`. Raises ExperimentRunNotFoundError."""
        runs = self.list_runs()
        for run in runs:
            if run.place.timestamp == timestamp:
                return run
        raise self._no_run(f"run {timestamp!r}", runs)

    def _no_run(self, what: str, runs: list[ExperimentRun[In, Out]]) -> ExperimentRunNotFoundError:
        place = self.base_experiment.backend.uri(self.prefix)
        stand = [f"{run.place.timestamp} ({run.status().status})" for run in reversed(runs)]
        return ExperimentRunNotFoundError(what, place, "runs", stand)
