"""Published experiments: any function from spec to output, run on Dagster, kept by version."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assets import ExperimentStorage, experiment_definitions
    from .base import BaseExperiment, list_experiments
    from .compare import Comparison, compare_versions
    from .errors import LaunchFailed, SpecError
    from .files import FileReference
    from .not_found import (
        ExperimentNotFoundError,
        ExperimentRunNotFoundError,
        ExperimentVersionNotFoundError,
        ResultNotFoundError,
    )
    from .published import ExperimentRun, VersionedExperiment
    from .records import Completion, ExperimentRunManifest
    from .refs import RunRef, RunState
    from .registry import Experiment, experiment, registered
    from .settings import (
        ExperimentRunSettings,
        ExperimentStorageSettings,
        ScytheStorageSettings,
        storage_settings,
    )
    from .spec import ExperimentInputSpec, ExperimentOutputSpec
    from .summaries import find_run, run_details, summarize_experiments, summarize_runs
    from .versions import SemVer

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
    "assets": ("ExperimentStorage", "experiment_definitions"),
    "base": ("BaseExperiment", "list_experiments"),
    "compare": ("Comparison", "compare_versions"),
    "errors": ("LaunchFailed", "SpecError"),
    "files": ("FileReference",),
    "not_found": (
        "ExperimentNotFoundError",
        "ExperimentRunNotFoundError",
        "ExperimentVersionNotFoundError",
        "ResultNotFoundError",
    ),
    "published": ("ExperimentRun", "VersionedExperiment"),
    "records": ("Completion", "ExperimentRunManifest"),
    "refs": ("RunRef", "RunState"),
    "registry": ("Experiment", "experiment", "registered"),
    "settings": (
        "ExperimentRunSettings",
        "ExperimentStorageSettings",
        "ScytheStorageSettings",
        "storage_settings",
    ),
    "spec": ("ExperimentInputSpec", "ExperimentOutputSpec"),
    "summaries": ("find_run", "run_details", "summarize_experiments", "summarize_runs"),
    "versions": ("SemVer",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
