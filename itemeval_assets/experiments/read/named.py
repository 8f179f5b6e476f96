"""An experiment and its versions by their names: where they lie, and no look at what is there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.experiments.layout.keys import NAME_RULE, ExperimentPlace, is_experiment_name
from itemeval_assets.experiments.layout.settings import (
    ExperimentStorageSettings,
    require_kind,
)
from itemeval_assets.experiments.layout.settings import storage_settings as load_storage_settings
from itemeval_assets.experiments.layout.versions import SemVer
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.spec.models import In, Out
from itemeval_assets.storage.objects.backends import Backend, open_backend


@dataclass
class NamedExperiment(Generic[In, Out]):
    """An experiment by its function or its name, and where its folder is."""

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


@dataclass(frozen=True)
class NamedVersion(Generic[In, Out]):
    """One version of an experiment, and where its folder is."""

    base_experiment: NamedExperiment[In, Out]
    version: SemVer

    @property
    def base_id(self) -> str:
        """`<experiment>/<version>`."""
        return f"{self.base_experiment.base_id}/{self.version}"

    @property
    def prefix(self) -> str:
        """The folder's key, with the bucket prefix."""
        return self.base_experiment.place.version_prefix(self.version)
