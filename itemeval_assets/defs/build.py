"""Builds the definitions of all studies; a function of the settings, nothing else."""

import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.dagster_io.io_managers import StudyTablesIOManager
from itemeval_assets.dagster_io.naming.names import TABLES_IO, Labels, identifier, on_demand_group
from itemeval_assets.host.installation import how_to_install
from itemeval_assets.settings import Settings

from .assets.automation import automation_sensor
from .assets.study import study_assets
from .automation.notifications import notification_sensors
from .automation.reruns import rerun_schedule
from .broken import BrokenStudy, broken_definitions, group_of, is_validation, problem_in
from .checks import study_checks
from .snapshots import load_in_location, paths_in_location

# Partitioned asset checks, backfill policies and mappings of dimensions are young features of
# Dagster; the graph uses them knowingly.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)


@dataclass
class Loaded:
    """The studies of a code location, what each defines, and those that cannot be loaded."""

    studies: list[Study] = field(default_factory=list)
    definitions: list[dg.Definitions] = field(default_factory=list)
    broken: list[BrokenStudy] = field(default_factory=list)


def build_definitions(settings: Settings, studies: list[Study] | None = None) -> dg.Definitions:
    """Two asset groups per study, and one per study that is broken. Touches no network, no dataset.

    Raises ConfigError where given studies, or settings, are wrong; to a command that validates the
    definitions, with the problems of all config files.
    """
    if studies is None:
        loaded = load_studies(settings)
    else:
        loaded = Loaded(studies, [study_definitions(study, settings) for study in studies])
    if loaded.broken and is_validation():
        raise ConfigError("\n".join(study.problem for study in loaded.broken))
    return dg.Definitions.merge(
        *loaded.definitions,
        *_of_broken(loaded, settings),
        shared_definitions(
            loaded.studies, lambda: [str(study.path) for study in loaded.broken], settings
        ),
        dg.Definitions(executor=executor_of(settings)),
    )


def _of_broken(loaded: Loaded, settings: Settings) -> Iterator[dg.Definitions]:
    groups = {identifier(study) for study in loaded.studies}
    for study in loaded.broken:
        group = group_of(study.path, groups)
        groups.add(group)
        yield broken_definitions(study, group, settings)


def study_definitions(
    study: Study, settings: Settings, labels: Labels | None = None
) -> dg.Definitions:
    """What one study has of its own. It needs what all studies of a code location share.

    `labels` null: its name is its group, and the settings say the owners.
    """
    labels = labels or Labels(identifier(study), settings.owner_list())
    return dg.Definitions(
        assets=study_assets(study, labels),
        asset_checks=study_checks(study),
        schedules=[rerun_schedule(study, settings)],
        sensors=[automation_sensor(study, labels.group)],
    )


def shared_definitions(
    studies: Collection[Study], broken: Callable[[], Collection[str]], settings: Settings
) -> dg.Definitions:
    """What there is once in a code location, for all its studies; `studies` may grow later.

    `broken`: the files of those that cannot be loaded.
    """
    return dg.Definitions(
        resources={TABLES_IO: StudyTablesIOManager(studies)},
        sensors=notification_sensors(studies, broken, settings),
    )


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """Where the steps of a run run. Raises ConfigError when a package for it is missing."""
    if settings.executor == "multiprocess":
        return dg.multiprocess_executor
    if settings.executor == "in_process":
        # The calls wait for the network, and a process costs seconds to start.
        return dg.in_process_executor
    try:
        from dagster_celery import celery_executor
    except ImportError as error:
        raise ConfigError(
            "ITEMEVAL_ASSETS_EXECUTOR=celery needs dagster-celery: "
            # Dagster's libraries have one version, and each wants its own of Dagster.
            + how_to_install(f"dagster-celery=={version('dagster-aws')}", "celery[redis]")
        ) from error
    # By name, so that an address with a password is read where it is used, and stored nowhere.
    addresses = {"broker": {"env": "CELERY_BROKER_URL"}, "backend": {"env": "CELERY_RESULT_URL"}}
    return celery_executor.configured(addresses, name="celery")


def load_studies(settings: Settings) -> Loaded:
    """Every study of the settings that can be loaded, and every other with what is wrong."""
    loaded = Loaded()
    for path in paths_in_location(settings.study_paths()):

        def is_broken(problem: str, path: Path = path) -> None:
            again = partial(_problem_now, settings, path)
            loaded.broken.append(BrokenStudy(path, problem, again))

        with problem_in(path, is_broken):
            study = load_in_location(path)
            require_own_name(study, loaded.studies)
            loaded.definitions.append(study_definitions(study, settings))
            loaded.studies.append(study)
    return loaded


def _problem_now(settings: Settings, path: Path) -> str | None:
    """What is wrong with a study by now."""
    broken = load_studies(settings).broken
    return next((study.problem for study in broken if study.path == path), None)


def require_own_name(study: Study, others: Collection[Study]) -> None:
    """Raise ConfigError where Dagster, which knows no hyphen in a name, could not tell it apart.

    Nor could it two studies of which one is named as a group of the other.
    """
    names = _names_of(study)
    for other in others:
        if names & _names_of(other):
            raise ConfigError(
                f"{study.config_path}: study: {study.name!r} and {other.name!r} "
                f"({other.config_path}) have the same name in Dagster; rename one of them"
            )


def _names_of(study: Study) -> set[str]:
    return {identifier(study), on_demand_group(identifier(study))}
