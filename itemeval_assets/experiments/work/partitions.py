"""Published runs as partitions of a Dagster asset."""

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.layout.keys import timestamp_of
from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.experiments.layout.versions import SemVer
from itemeval_assets.experiments.read.experiment import PublishedExperiment
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.read.version import VersionedExperiment
from itemeval_assets.experiments.spec.function import ExperimentFunction


def partition_of_run(run: ExperimentRun) -> str:
    """The partition of a run: `<version>/<timestamp>`, after the folder where it has its own."""
    experiment = run.versioned_experiment.base_experiment
    short = run.experiment_id.removeprefix(f"{experiment.experiment.name}/")
    return short if experiment.base_id == experiment.experiment.name else run.experiment_id


def run_of_partition(
    experiment: ExperimentFunction, partition: str, storage: ExperimentStorageSettings
) -> ExperimentRun:
    """The published run of a partition. Raises SpecError for a key that is none, NotFoundError."""
    above, _, time_ = partition.rpartition("/")
    folder, _, version = above.rpartition("/")
    timestamp, number = timestamp_of(time_), SemVer.from_folder(version)
    if timestamp is None or number is None:
        raise SpecError(
            f"partition {partition!r} is no run; write <version>/<timestamp>, "
            "as in v1.0.0/2025-07-23_12-59-51"
        )
    base = PublishedExperiment(experiment, folder or None, storage)
    run = ExperimentRun(VersionedExperiment(base, number), timestamp)
    return run if base.backend.exists(run.place.manifest) else base.version(number).run_at(time_)
