"""Builds the definitions of all studies; a function of the settings, nothing else."""

import warnings
from collections.abc import Collection

import dagster as dg

from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.core.study import Study
from itemeval_assets.settings import Settings
from itemeval_assets.storage.inputs import load_study

from .assets import study_assets
from .automation import automation_sensor
from .checks import study_checks
from .io_managers import StudyTablesIOManager
from .names import TABLES_IO, identifier, on_demand_group
from .notifications import notification_sensors
from .reruns import rerun_schedule

__all__ = [
    "build_definitions",
    "executor_of",
    "load_studies",
    "name_clashes",
    "shared_definitions",
    "study_definitions",
]

# Partitioned asset checks, backfill policies and mappings of dimensions are young features of
# Dagster; the graph uses them knowingly.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)


def build_definitions(settings: Settings, studies: list[Study] | None = None) -> dg.Definitions:
    """One asset group per study. Touches no network and no dataset.

    Raises ConfigError that lists the problems of all config files.
    """
    studies = load_studies(settings) if studies is None else studies
    return dg.Definitions.merge(
        *(study_definitions(study, settings) for study in studies),
        shared_definitions(studies, settings),
        dg.Definitions(executor=executor_of(settings)),
    )


def study_definitions(study: Study, settings: Settings) -> dg.Definitions:
    """What one study has of its own. It needs what all studies of a code location share."""
    return dg.Definitions(
        assets=study_assets(study, settings),
        asset_checks=study_checks(study),
        schedules=[rerun_schedule(study)],
        sensors=[automation_sensor(study)],
    )


def shared_definitions(studies: Collection[Study], settings: Settings) -> dg.Definitions:
    """What there is once in a code location, for all its studies; `studies` may grow later."""
    return dg.Definitions(
        resources={TABLES_IO: StudyTablesIOManager(studies)},
        sensors=notification_sensors(studies, settings),
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
            "pip install 'itemeval-assets[deploy]'"
        ) from error
    # By name, so that an address with a password is read where it is used, and stored nowhere.
    addresses = {"broker": {"env": "CELERY_BROKER_URL"}, "backend": {"env": "CELERY_RESULT_URL"}}
    return celery_executor.configured(addresses, name="celery")


def load_studies(settings: Settings) -> list[Study]:
    """Every study of the settings. Raises ConfigError that lists the problems of all files."""
    studies, problems = [], []
    for path in settings.study_paths():
        try:
            studies.append(load_study(path))
        except ItemevalAssetsError as error:
            problems.append(str(error))
    problems += name_clashes(studies)
    if problems:
        raise ConfigError("\n".join(problems))
    return studies


def name_clashes(studies: Collection[Study]) -> list[str]:
    """Studies that Dagster, which knows no hyphen in a name, could not tell apart.

    Nor would it two studies of which one is named as a group of the other.
    """
    first: dict[str, Study] = {}
    problems = []
    for study in studies:
        names = (identifier(study), on_demand_group(study))
        taken = [first.setdefault(name, study) for name in names]
        other = next((owner for owner in taken if owner is not study), study)
        if other is not study:
            problems.append(
                f"{study.config_path}: study: {study.name!r} and {other.name!r} "
                f"({other.config_path}) are one name to Dagster; rename one of them"
            )
    return problems
