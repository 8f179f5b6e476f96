"""Published experiments: any function from spec to output, run on Dagster, kept by version."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import BaseExperiment
    from .errors import (
        ExperimentNotFoundError,
        ExperimentRunNotFoundError,
        ExperimentVersionNotFoundError,
        LaunchFailed,
        ResultNotFoundError,
        SpecError,
    )
    from .layout.records import Completion, ExperimentRunManifest
    from .layout.settings import (
        ExperimentRunSettings,
        ExperimentStorageSettings,
        ScytheStorageSettings,
        storage_settings,
    )
    from .layout.versions import SemVer
    from .read.compare import Comparison, compare_versions
    from .read.experiment import list_experiments
    from .read.run import ExperimentRun
    from .read.summaries import find_run, run_details, summarize_experiments, summarize_runs
    from .read.version import VersionedExperiment
    from .registry import Experiment, experiment, registered
    from .runs.assets import ExperimentStorage, experiment_definitions
    from .runs.refs import RunRef, RunState
    from .spec.files import FileReference
    from .spec.models import ExperimentInputSpec, ExperimentOutputSpec

__all__ = [
    "BaseExperiment",
    "Comparison",
    "Completion",
    "Experiment",
    "ExperimentInputSpec",
    "ExperimentNotFoundError",
    "ExperimentOutputSpec",
    "ExperimentRun",
    "ExperimentRunManifest",
    "ExperimentRunNotFoundError",
    "ExperimentRunSettings",
    "ExperimentStorage",
    "ExperimentStorageSettings",
    "ExperimentVersionNotFoundError",
    "FileReference",
    "LaunchFailed",
    "ResultNotFoundError",
    "RunRef",
    "RunState",
    "ScytheStorageSettings",
    "SemVer",
    "SpecError",
    "VersionedExperiment",
    "compare_versions",
    "experiment",
    "experiment_definitions",
    "find_run",
    "list_experiments",
    "registered",
    "run_details",
    "storage_settings",
    "summarize_experiments",
    "summarize_runs",
]

# Where each name is. Late: who reads results loads no Dagster, and the command line no pandas.
_HOMES = {
    "runs.assets": ("ExperimentStorage", "experiment_definitions"),
    "base": ("BaseExperiment",),
    "read.compare": ("Comparison", "compare_versions"),
    "spec.files": ("FileReference",),
    "errors": (
        "LaunchFailed",
        "SpecError",
        "ExperimentNotFoundError",
        "ExperimentRunNotFoundError",
        "ExperimentVersionNotFoundError",
        "ResultNotFoundError",
    ),
    "read.experiment": ("list_experiments",),
    "read.run": ("ExperimentRun",),
    "read.version": ("VersionedExperiment",),
    "layout.records": ("Completion", "ExperimentRunManifest"),
    "runs.refs": ("RunRef", "RunState"),
    "registry": ("Experiment", "experiment", "registered"),
    "layout.settings": (
        "ExperimentRunSettings",
        "ExperimentStorageSettings",
        "ScytheStorageSettings",
        "storage_settings",
    ),
    "spec.models": ("ExperimentInputSpec", "ExperimentOutputSpec"),
    "read.summaries": ("find_run", "run_details", "summarize_experiments", "summarize_runs"),
    "layout.versions": ("SemVer",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
