"""Published experiments: any function from spec to output, run on Dagster, kept by version."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import BaseExperiment, list_experiments
    from .errors import LaunchFailed, SpecError
    from .layout.not_found import (
        ExperimentNotFoundError,
        ExperimentRunNotFoundError,
        ExperimentVersionNotFoundError,
        ResultNotFoundError,
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
    from .read.published import ExperimentRun, VersionedExperiment
    from .read.summaries import find_run, run_details, summarize_experiments, summarize_runs
    from .runs.assets import ExperimentStorage, experiment_definitions
    from .runs.refs import RunRef, RunState
    from .spec.files import FileReference
    from .spec.models import ExperimentInputSpec, ExperimentOutputSpec
    from .spec.registry import Experiment, experiment, registered

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
    "base": ("BaseExperiment", "list_experiments"),
    "read.compare": ("Comparison", "compare_versions"),
    "errors": ("LaunchFailed", "SpecError"),
    "spec.files": ("FileReference",),
    "layout.not_found": (
        "ExperimentNotFoundError",
        "ExperimentRunNotFoundError",
        "ExperimentVersionNotFoundError",
        "ResultNotFoundError",
    ),
    "read.published": ("ExperimentRun", "VersionedExperiment"),
    "layout.records": ("Completion", "ExperimentRunManifest"),
    "runs.refs": ("RunRef", "RunState"),
    "spec.registry": ("Experiment", "experiment", "registered"),
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
