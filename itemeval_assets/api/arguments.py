"""What functions of the API are given, checked: a study, and words that select and allow."""

import operator
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.selection import Words, listed
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.cells import CELL_STATES
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.inputs import load_config

if TYPE_CHECKING:
    from itemeval_assets.storage.study.store import ResultsStore


def as_study(config: str | Path | Study) -> Study:
    return config if isinstance(config, Study) else load_study(config)


def with_task(config: str | Path | Study) -> Study:
    """The study, with its task as it is now, if it has one."""
    if isinstance(config, Study) or load_config(config)[0].benchmark.ref is None:
        return as_study(config)
    from itemeval_assets.stages.tasks.opening import open_study

    return open_study(config)


def opened_store(study: Study) -> "ResultsStore":
    from itemeval_assets.storage.study.store import open_store

    store = open_store(study)
    store.require_layout()
    return store


def options_of(
    study: Study, force: bool, policy: str | None, consent_usd: float | None
) -> RunOptions:
    return RunOptions(
        force=flag("force", force),
        policy=None if policy is None else run_plan(study.config, policy).policy,
        consent_usd=amount(consent_usd),
    )


def amount(usd: float | None) -> float | None:
    try:
        if isinstance(usd, bool):
            raise TypeError
        return None if usd is None else float(usd)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"max_usd: {usd!r} is no amount of USD") from error


def flag(name: str, value: object) -> bool:
    """Not what Python takes for true: `"no"` would be."""
    if value is not True and value is not False:
        raise ConfigError(f"{name}: {value!r} is neither True nor False")
    return value


def processes_of(workers: int) -> int:
    try:
        if isinstance(workers, bool):
            raise TypeError
        count = operator.index(workers)
    except TypeError as error:
        raise ConfigError(f"workers: {workers!r} is not a number of processes") from error
    if count < 1:
        raise ConfigError(f"workers: {workers}: give at least 1 process")
    return count


def known_states(states: Words) -> list[str]:
    found = [] if states is None else listed("states", states)
    for state in found:
        if state not in CELL_STATES:
            there_are = ", ".join(CELL_STATES)
            raise ConfigError(f"states: there is no state {state!r}; there are: {there_are}")
    return found
