"""The results of a study, as they are: no model is called, and no table is written."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.partitions import GRADE
from itemeval_assets.core.design.selection import Words, select
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.cells import CELL_STATES
from itemeval_assets.core.tables.schemas import TABLES

from .arguments import as_study, known_states, opened_store

if TYPE_CHECKING:
    import pandas as pd

    from itemeval_assets.stages.views.cells import CellSurvey
    from itemeval_assets.stages.views.scored_logs import ScoredLogs
    from itemeval_assets.stages.views.status import StudyStatus


def status(config: str | Path | Study, *, policy: str | None = None) -> "StudyStatus":
    """How many cells of each condition are done. No model is called."""
    from itemeval_assets.stages.views.status import survey

    study = as_study(config)
    store = opened_store(study)
    found = survey(study, store, policy)
    if not found.batches:
        return found
    from itemeval_assets.stages.views.waiting import with_expected

    return with_expected(found, study, store)


def table(config: str | Path | Study, name: str) -> "pd.DataFrame":
    """A stored table as a DataFrame with nullable Arrow types. Raises ConfigError for its name."""
    import pandas as pd

    if not isinstance(name, str) or name not in TABLES:
        raise ConfigError(f"there is no table {name!r}; tables: {', '.join(TABLES)}")
    rows = opened_store(as_study(config)).read(name)
    return rows.to_pandas(types_mapper=pd.ArrowDtype)


def cells(
    config: str | Path | Study,
    *,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    states: Words = None,
    policy: str | None = None,
) -> "pd.DataFrame":
    """Every cell of the design with its state, including cells that have no row in any table.

    One row per generate x grade condition x item x replication. `state` is done, unparsed, blank,
    stale, errored, missing, or not_planned: the policy does not cover it. If a cell is not
    done, `stage` says what is missing, its solution, the rubric that a model writes for its item,
    or its grading, and `reason` why. `score` is
    set exactly for cells that are done. Conditions are selected as in `run`. No model is called.
    """
    import pandas as pd

    from itemeval_assets.stages.items import known
    from itemeval_assets.stages.views.cells import everything

    study = as_study(config)
    gradings = select(study.design, None, conditions, graders, rubrics).of(GRADE)
    plan = run_plan(study.config, policy)
    wanted = known_states(states) or CELL_STATES
    store = opened_store(study)
    items = known(study, store).table
    rows = everything(study, store, gradings, plan.policy, wanted, items)
    return rows.to_pandas(types_mapper=pd.ArrowDtype)


def count_cells(
    config: str | Path | Study,
    *,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    states: Words = None,
    policy: str | None = None,
) -> "CellSurvey":
    """Count the cells by state, with reasons; `rows` are the cells in `states`.

    The default of `states` is all states but done.
    """
    from itemeval_assets.stages.items import known, notes_on_data
    from itemeval_assets.stages.views.cells import survey

    study = as_study(config)
    gradings = select(study.design, None, conditions, graders, rubrics).of(GRADE)
    plan = run_plan(study.config, policy)
    wanted = known_states(states) or CELL_STATES[1:]
    store = opened_store(study)
    found = survey(study, store, gradings, plan.policy, wanted, known(study, store).table)
    return replace(found, notes=notes_on_data(study, store))


def scored_logs(config: str | Path | Study) -> "ScoredLogs":
    """Copy the logs of the solutions to export/scored_logs, with all verdicts as scores.

    inspect_ai's viewer shows them and sorts by them. Raises StoreError for a log that is gone.
    """
    from itemeval_assets.stages.views.scored_logs import scored_logs as written

    study = as_study(config)
    return written(study, opened_store(study))
