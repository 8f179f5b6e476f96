"""The Python API: one function per CLI command, on a `Study`.

A study runs as Dagster runs, in this process: lineage, checks and history are the same
from a notebook, the terminal, the UI and a schedule.
"""

import operator
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING

from .core.design.options import RunOptions
from .core.design.partitions import GRADE, NamedPartition, Partition
from .core.design.selection import Words, listed, select, with_families
from .core.design.study import Study, run_plan
from .core.design.times import time_of, with_time
from .core.errors import ConfigError
from .core.tables.cells import CELL_STATES
from .core.tables.schemas import TABLES
from .engine.study_files import load_study
from .storage.study.inputs import load_config

if TYPE_CHECKING:
    import pandas as pd

    from .core.money.preflight import ModelHealth
    from .core.records.releases import Release
    from .core.records.seals import SealState
    from .engine.calls.progress import Progress
    from .imports.found import ImportSummary
    from .ratings.records import NextRatings, RatingsSummary, SheetSummary
    from .ratings.rubrics.records import RubricsSummary, RubricsTaken
    from .ratings.sheets import Asked
    from .runs.summary import RunSummary
    from .stages.every_eval.writing import EveryEval
    from .stages.export import ExportResult
    from .stages.projection.estimate import StudyEstimate
    from .stages.views.cells import CellSurvey
    from .stages.views.redrawing import Redrawn
    from .stages.views.scored_logs import ScoredLogs
    from .stages.views.status import StudyStatus
    from .storage.study.store import ResultsStore

__all__ = [
    "cells",
    "count_cells",
    "estimate",
    "every_eval",
    "export",
    "export_rubrics",
    "import_ratings",
    "import_results",
    "import_rubrics",
    "load_study",
    "next_ratings",
    "preflight",
    "ratings_sheet",
    "recover",
    "redraw",
    "release",
    "reset",
    "run",
    "scored_logs",
    "seal",
    "status",
    "table",
]


def run(
    config: str | Path | Study,
    *,
    only: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    errored: bool = False,
    force: bool = False,
    accept_changes: bool = False,
    policy: str | None = None,
    wave: str | None = None,
    rejudge: str | None = None,
    anchors: int | None = None,
    max_usd: float | None = None,
    workers: int = 1,
    on_progress: "Callable[[Progress], None] | None" = None,
) -> "RunSummary":
    """Run a study: make the calls that are pending, and no others.

    `only` is solutions or gradings. `conditions` select generate conditions by label, slug, id,
    the start of an id, or model. `graders` and `rubrics` select grade conditions by label, slug,
    id, the start of an id, or name; scorers are graders, too. A word that selects nothing is an
    error. `max_usd` is your consent to spend so much on this run, all stages together; infinity
    allows any cost below `budget.max_usd`. `errored` selects only partitions with an errored
    cell. `accept_changes`: answers to items that changed since, and gradings of them, are made
    again; without it they are an error. `workers`: the number of processes that share the
    partitions of each stage. One criterion of a rubric is run with all that its call grades.
    `wave`: ask all models again, under this name of a later time; `rejudge`: have the judges grade
    the first answers again; `anchors`: only so many items, drawn at random. A name that is new is
    written into the YAML. With `precision` in the YAML it buys items until that is reached, and
    `max_usd` is for all tranches. Raises an ItemevalAssetsError that says what to do.
    """
    from .runs.study import run_study

    time, known = time_of(wave, rejudge, anchors), with_task(config)
    study = with_time(known, time, anchors) if time else known
    selection = select(study.design, only, conditions, graders, rubrics).at(time, study.design)
    options = _options(study, force, policy, max_usd)
    if on_progress is not None and not callable(on_progress):
        raise ConfigError(f"on_progress: {on_progress!r} cannot be called")
    processes = _processes(workers)
    if _flag("errored", errored):
        selection = selection.within(_errored(study, policy))
    selection = with_families(study.design, selection)
    accept = _flag("accept_changes", accept_changes)
    if study is not known:
        from .runs.new_times import require_items, write_time

        require_items(study, anchors)
        write_time(known, study, selection, options)
    if study.config.precision:
        from .runs.precise import run_in_tranches as run_study
    return run_study(study, selection, options, on_progress, processes, accept_changes=accept)


def recover(config: str | Path | Study, accept_loss: bool = False) -> "RunSummary":
    """Recover finished answers and their costs from the logs of killed runs. No model is called.

    Rows that are lost, and still in the ledger, come back from their logs. If these logs are gone,
    too, raises EvidenceLost, which says what is lost. `accept_loss` records the loss: the cost
    stays in the ledger, and the next run calls the missing cells again. It also ends the wait for
    batches that nobody can collect, or that no cell wants any more.
    """
    from .runs.study import run_study
    from .stages.calls.evidence import partitions_to_mend

    study = _as_study(config)
    accept_loss = _flag("accept_loss", accept_loss)
    everything = select(study.design)
    left = everything.within(partitions_to_mend(_store(study), everything.partitions))
    left = with_families(study.design, left)
    return run_study(study, left, RunOptions(recover_only=True), accept_loss=accept_loss)


def reset(
    config: str | Path | Study,
    *,
    only: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
) -> list[NamedPartition]:
    """Let the schedule run these partitions again: set the count of its attempts to zero.

    They are selected as in `run`; if graders or rubrics are named, only gradings. Returns the
    partitions that the schedule had run or given up.
    """
    from .stages.views import reruns

    study = _as_study(config)
    selection = select(study.design, only, conditions, graders, rubrics)
    names_judges = graders is not None or rubrics is not None
    chosen = selection.of(GRADE) if names_judges else selection.partitions
    return study.named(reruns.reset(_store(study), chosen))


def estimate(
    config: str | Path | Study,
    *,
    only: str | None = None,
    conditions: Words = None,
    graders: Words = None,
    rubrics: Words = None,
    errored: bool = False,
    force: bool = False,
    accept_changes: bool = False,
    policy: str | None = None,
    wave: str | None = None,
    rejudge: str | None = None,
    anchors: int | None = None,
) -> "StudyEstimate":
    """Calls and cost of a `run` with the same arguments. No model is called, and nothing accepted.

    Nor is anything written into the YAML.

    USD and tokens are upper limits; the expected figures are estimated from stored calls.
    """
    from .stages.projection.estimate import preview
    from .storage.study.inputs.task_lock import keep_task

    time, known = time_of(wave, rejudge, anchors), with_task(config)
    study = with_time(known, time, anchors) if time else known
    if study is not known:
        from .runs.new_times import require_items

        require_items(study, anchors)
    selection = select(study.design, only, conditions, graders, rubrics).at(time, study.design)
    options = _options(study, force, policy, None)
    if _flag("errored", errored):
        selection = selection.within(_errored(study, policy))
    selection = with_families(study.design, selection)
    accept = _flag("accept_changes", accept_changes)
    found = preview(study, _store(study), options, selection, accept_changes=accept)
    keep_task(study)
    return found


def preflight(config: str | Path | Study, *, max_usd: float | None = None) -> "list[ModelHealth]":
    """Make one tiny call to each model: ok, dead or unverified. The ledger has its cost."""
    from .runs.preflight import run_preflight

    return run_preflight(with_task(config), _amount(max_usd))


def redraw(config: str | Path | Study, *, dry_run: bool = False) -> "Redrawn":
    """Draw the models of a study from its roster as it is now, and lock that. No model is called.

    Conditions of models that are gone leave the design; their rows stay. `dry_run`: say what would
    change, and lock nothing. Raises StoreError while a run is at work.
    """
    from .stages.views.redrawing import redrawn

    path = config.config_path if isinstance(config, Study) else config
    return redrawn(path, keep=not _flag("dry_run", dry_run))


def status(config: str | Path | Study, *, policy: str | None = None) -> "StudyStatus":
    """How many cells of each condition are done. No model is called."""
    from .stages.views.status import survey

    study = _as_study(config)
    return survey(study, _store(study), policy)


def export(config: str | Path | Study, *, for_spreadsheets: bool = False) -> "ExportResult":
    """Write export/ again from the stored tables. Raises StoreError if a table breaks a rule.

    `for_spreadsheets` adds CSV files in which no spreadsheet reads a text as a formula.
    """
    from .runs.single import run_export

    return run_export(_as_study(config), _flag("for_spreadsheets", for_spreadsheets))


def import_results(
    path: str | Path,
    config: str | Path | Study,
    *,
    dry_run: bool = False,
    on_note: Callable[[str], None] | None = None,
) -> "ImportSummary":
    """Take in an itemeval study, logs of a task, or a table of answers: nothing is paid again.

    `path` is only read. `config` declares the same study with an `output_dir` of its own, a study
    of the task that `.eval` logs are of, or one of the items that were answered. `dry_run`: say
    what would come in, and store nothing. `on_note` is told why the import waits. Raises an
    ItemevalAssetsError for what does not fit; then nothing was taken.
    """
    from .imports.results import import_results as take_in

    if not isinstance(path, (str, Path)):
        raise ConfigError(f"{path!r} is no path of what is to come in: give a str or a Path")
    place = config.config_path if isinstance(config, Study) else config
    is_dry_run = _flag("dry_run", dry_run)
    return take_in(str(path), place, dry_run=is_dry_run, say=on_note or (lambda note: None))


def ratings_sheet(
    config: str | Path | Study,
    rater: str,
    out: str | Path = "sheet.csv",
    *,
    n: int = 40,
    seed: int = 0,
    rubric: str | None = None,
    scale: tuple[float, float] | None = None,
    again: bool = False,
    conditions: Words = None,
) -> "SheetSummary":
    """Write a sheet of `n` answers for a person to rate: CSV, a workbook, or a page of HTML.

    No model is named on it. The answers are drawn at random by `seed`, as many of each condition;
    none that this rater has rated or has on a sheet, unless `again`; none of waves, unless
    `conditions` names some: labels, slugs, ids or models. `rubric` and `scale` are needed where
    the study has several. The rater need not be in the YAML yet. Raises an ItemevalAssetsError
    where nothing can be written.
    """
    from .ratings.sheets import write_sheet

    asked = _asked(rater, n, seed, rubric, scale, _flag("again", again))
    asked = replace(asked, conditions=conditions)
    if not isinstance(out, (str, Path)):
        raise ConfigError(f"out: {out!r} is no path: give a str or a Path")
    return write_sheet(_as_study(config), asked, Path(out))


def next_ratings(
    config: str | Path | Study,
    rater: str,
    *,
    n: int = 40,
    seed: int = 0,
    rubric: str | None = None,
    scale: tuple[float, float] | None = None,
) -> "NextRatings":
    """What `n` more ratings would bring: by how much the intervals of the means would shrink."""
    from .ratings.sheets import next_ratings as foreseen

    return foreseen(_as_study(config), _asked(rater, n, seed, rubric, scale, False))


def import_ratings(
    path: str | Path,
    config: str | Path | Study,
    *,
    rater: str | None = None,
    on_note: Callable[[str], None] | None = None,
) -> "RatingsSummary":
    """Take in the ratings of a filled-in sheet. A rater that the YAML lacks is written into it.

    A sheet may be in another order, be rated in part, and come in twice. Raises an
    ItemevalAssetsError that names each row which cannot be taken: then nothing was.
    """
    from .ratings.taking import import_ratings as take_in

    if not isinstance(path, (str, Path)):
        raise ConfigError(f"{path!r} is no path of a sheet: give a str or a Path")
    if not isinstance(rater, (str, NoneType)):
        raise ConfigError(f"rater: {rater!r} is no name: give a text")
    return take_in(Path(path), _as_study(config), rater, on_note or (lambda note: None))


def every_eval(
    config: str | Path | Study,
    organization: str,
    *,
    relationship: str = "third_party",
    without_rows: bool = False,
) -> "EveryEval":
    """Write the results as records of Every Eval Ever (schema 0.3.0) to export/every_eval.

    One document for each model, with the mean and the interval of each condition by each grader.
    `organization` is yours, `relationship` yours to those who made the models: first_party,
    third_party, collaborative or other. Beside each document is a row for each score, with
    question, target and answer; `without_rows` leaves them out. The package `every-eval-ever`
    checks all of it, where it is installed. Raises StoreError, and writes nothing, where there is
    no score, a table breaks a rule, or a record is not valid.
    """
    from .stages.every_eval.record import RELATIONSHIPS, Source
    from .stages.every_eval.writing import write_records

    if not isinstance(organization, str) or not organization.strip():
        raise ConfigError(f"organization: {organization!r}: give the name of yours, as a text")
    if relationship not in RELATIONSHIPS:
        there_are = ", ".join(RELATIONSHIPS)
        raise ConfigError(f"relationship: there is no {relationship!r}; there are: {there_are}")
    rows, study = not _flag("without_rows", without_rows), _as_study(config)
    return write_records(study, _store(study), Source(organization, relationship), rows=rows)


def release(config: str | Path | Study, *, version: str | None = None) -> "Release":
    """Publish the study as a new version of the experiment with its name.

    `version`: bumpmajor, bumpminor, bumppatch, or a version such as 1.2.0. The default depends on
    what changed since the last release; if nothing did, nothing is published. Releases go to the
    bucket or folder in SCYTHE_STORAGE_BUCKET, by default to `experiments/` beside the YAML.
    """
    from .releases import asked_version, storage_for
    from .runs.single import run_release

    if not isinstance(version, (str, NoneType)):
        raise ConfigError(f"version: {version!r} is no text; write it as v1.2.3")
    study = _as_study(config)
    # What these refuse leaves no run in Dagster's history.
    asked_version(version)
    storage_for(study)
    return run_release(study, version)


def seal(config: str | Path | Study) -> "SealState":
    """Write design, hypotheses and decision rule with their hash into the store, before the calls.

    The YAML has them in its section `seal`. A study that has not changed since its last seal gets
    no other; one that has keeps both. Loads the data, since their hash is sealed, too. Raises
    ConfigError without that section, and StoreError while a run is at work, or where answers of
    a killed run are in no table. No model is called.
    """
    from .stages.views.seals import seal as seal_plan

    study = with_task(config)
    return seal_plan(study, _store(study))


def table(config: str | Path | Study, name: str) -> "pd.DataFrame":
    """A stored table as a DataFrame with nullable Arrow types. Raises ConfigError for its name."""
    import pandas as pd

    if not isinstance(name, str) or name not in TABLES:
        raise ConfigError(f"there is no table {name!r}; tables: {', '.join(TABLES)}")
    rows = _store(_as_study(config)).read(name)
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

    from .stages.items import known
    from .stages.views.cells import everything

    study = _as_study(config)
    gradings = select(study.design, None, conditions, graders, rubrics).of(GRADE)
    plan = run_plan(study.config, policy)
    wanted = _known_states(states) or CELL_STATES
    store = _store(study)
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
    from .stages.items import known, notes_on_data
    from .stages.views.cells import survey

    study = _as_study(config)
    gradings = select(study.design, None, conditions, graders, rubrics).of(GRADE)
    plan = run_plan(study.config, policy)
    wanted = _known_states(states) or CELL_STATES[1:]
    store = _store(study)
    found = survey(study, store, gradings, plan.policy, wanted, known(study, store).table)
    return replace(found, notes=notes_on_data(study, store))


def scored_logs(config: str | Path | Study) -> "ScoredLogs":
    """Copy the logs of the solutions to export/scored_logs, with all verdicts as scores.

    inspect_ai's viewer shows them and sorts by them. Raises StoreError for a log that is gone.
    """
    from .stages.views.scored_logs import scored_logs as written

    study = _as_study(config)
    return written(study, _store(study))


def _store(study: Study) -> "ResultsStore":
    from .storage.study.store import open_store

    store = open_store(study)
    store.require_layout()
    return store


def _known_states(states: Words) -> list[str]:
    found = [] if states is None else listed("states", states)
    for state in found:
        if state not in CELL_STATES:
            there_are = ", ".join(CELL_STATES)
            raise ConfigError(f"states: there is no state {state!r}; there are: {there_are}")
    return found


def _as_study(config: str | Path | Study) -> Study:
    return config if isinstance(config, Study) else load_study(config)


def with_task(config: str | Path | Study) -> Study:
    """The study, with its task as it is now, if it has one."""
    if isinstance(config, Study) or load_config(config)[0].benchmark.ref is None:
        return _as_study(config)
    from .stages.tasks.opening import open_study

    return open_study(config)


def _options(
    study: Study, force: bool, policy: str | None, consent_usd: float | None
) -> RunOptions:
    return RunOptions(
        force=_flag("force", force),
        policy=None if policy is None else run_plan(study.config, policy).policy,
        consent_usd=_amount(consent_usd),
    )


def _amount(usd: float | None) -> float | None:
    try:
        if isinstance(usd, bool):
            raise TypeError
        return None if usd is None else float(usd)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"max_usd: {usd!r} is no amount of USD") from error


def _flag(name: str, value: object) -> bool:
    """Not what Python takes for true: `"no"` would be."""
    if value is not True and value is not False:
        raise ConfigError(f"{name}: {value!r} is neither True nor False")
    return value


def export_rubrics(config: str | Path | Study, out: str | Path) -> "RubricsSummary":
    """Write the rubrics that models have written into a .csv, .xlsx or .parquet file.

    Raises an ItemevalAssetsError where there is none, and for a file that is there.
    """
    from .ratings.rubrics.writing import export_rubrics as write

    if not isinstance(out, (str, Path)):
        raise ConfigError(f"out: {out!r} is no path: give a str or a Path")
    return write(_as_study(config), Path(out))


def import_rubrics(
    config: str | Path | Study,
    path: str | Path,
    *,
    by: str,
    on_note: Callable[[str], None] | None = None,
) -> "RubricsTaken":
    """Take in the rubrics of a file whose texts a person has changed; `by` names that person.

    Gradings by the texts of before are stale from then on. Raises an ItemevalAssetsError that
    names each row which cannot be taken: then none was.
    """
    from .ratings.rubrics.taking import import_rubrics as take_in

    if not isinstance(path, (str, Path)):
        raise ConfigError(f"{path!r} is no path of a file of rubrics: give a str or a Path")
    if not isinstance(by, str):
        raise ConfigError(f"by: {by!r} is no name: give a text")
    return take_in(Path(path), _as_study(config), by, on_note or (lambda note: None))


def _asked(
    rater: str,
    n: int,
    seed: int,
    rubric: str | None,
    scale: tuple[float, float] | None,
    again: bool,
) -> "Asked":
    from .measurement.arguments import is_whole
    from .ratings.sheets import Asked

    if not isinstance(rater, str) or not isinstance(rubric, (str, NoneType)):
        raise ConfigError(f"rater and rubric are names: found {rater!r} and {rubric!r}")
    if not is_whole(n, 1) or not is_whole(seed):
        raise ConfigError(f"n and seed are whole numbers, n at least 1: found {n!r} and {seed!r}")
    return Asked(rater=rater, rubric=rubric, scale=scale, n=int(n), seed=int(seed), again=again)


def _processes(workers: int) -> int:
    try:
        if isinstance(workers, bool):
            raise TypeError
        count = operator.index(workers)
    except TypeError as error:
        raise ConfigError(f"workers: {workers!r} is not a number of processes") from error
    if count < 1:
        raise ConfigError(f"workers: {workers}: give at least 1 process")
    return count


def _errored(study: Study, policy: str | None) -> list[Partition]:
    found = status(study, policy=policy)
    return [part.partition for part in found.parts if part.own("errored")]
