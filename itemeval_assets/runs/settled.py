"""Whether a run has anything to do. Where it has not, it starts no run of Dagster.

Nothing is to be done where every cell that was asked for has its row, and the study directory is
as it was when a run last exported it: then each table that follows from others is up to date, no
log waits to be read, and no rule is broken. Whatever changed meanwhile, a log of a killed run or a
file that somebody deleted, leaves another mark: then the run looks at everything again.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GRADE, PAID
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.settings import dagster_home_of
from itemeval_assets.stages.export import ExportResult, exported
from itemeval_assets.stages.figures.scores.records import StudyScores
from itemeval_assets.stages.gradings_long import behind
from itemeval_assets.stages.items import are_pinned, changed_datasets
from itemeval_assets.stages.views.status import PartitionStatus, StudyStatus, survey
from itemeval_assets.storage.objects.stats import ObjectStat
from itemeval_assets.storage.study.layout import SETTLED, table_folder
from itemeval_assets.storage.study.log_files import running_logs
from itemeval_assets.storage.study.store import ResultsStore

from .summary import RunSummary, asked_for, often_unparsed, told_most_often

Stats = Mapping[str, ObjectStat]


class Note(BaseModel):
    """What the study looked like, in which histories of Dagster it is shown, and its export.

    `scores` are those of the policy that they name, so that nothing is estimated again.
    """

    model_config = ConfigDict(frozen=True)

    marks_sha256: str
    homes: list[str]
    rows: int
    exported: list[str]
    scores: StudyScores | None = None


# Of the tables, the one that an export adds up itself.
DERIVED = "ledger"


def nothing_to_do(
    study: Study, store: ResultsStore, selection: Selection, options: RunOptions
) -> RunSummary | None:
    """What a run says that has nothing to do; null where it may have."""
    if options.force or options.recover_only:
        return None
    if _note(store) is None:
        return None
    stats = store.stats()
    note = valid_note(study, store, stats)
    if note is None or behind(study, stats):
        return None
    # A killed run of this machine may have logs that are not in the bucket yet.
    is_read = not running_logs(store.backend)
    if not (is_read and are_pinned(study, store)) or changed_datasets(study, store):
        return None
    status = survey(study, store, options.policy)
    if status.unread or any(_pending(study, part) for part in asked_for(status, selection)):
        return None
    return RunSummary(
        study=study.name,
        status=status,
        export=exported(store, note.rows, note.exported),
        changed_at=changed_at(stats),
        unparsed=often_unparsed(status, partial(told_most_often, study, store)),
        scores=note.scores if note.scores and note.scores.policy == status.policy else None,
    )


def valid_note(study: Study, store: ResultsStore, stats: Stats) -> Note | None:
    """The note, if nothing has changed since, and this machine's history shows what there is."""
    note = _note(store)
    if note is None or _histories(study).isdisjoint(note.homes):
        return None
    return note if note.marks_sha256 == _fingerprint(study, stats) else None


def forget(store: ResultsStore) -> Note | None:
    """Take the note away, and return it: a run that is killed leaves something to look at."""
    note = _note(store)
    if store.backend.exists(SETTLED):
        store.backend.delete(SETTLED)
    return note


def remember(
    study: Study,
    store: ResultsStore,
    before: Stats,
    export: ExportResult,
    scores: StudyScores | None,
    note: Note | None,
    run_id: str,
) -> Stats:
    """Note what the study looks like after an export; not where others have written meanwhile.

    Returns what it looks like. `before`: what its `sources` looked like before. `scores`: what
    these say. `note`: what the last one said. `run_id`: the run that exported.
    """
    stats = store.stats()
    if sources(stats) == before and not behind(study, stats):
        marks = _fingerprint(study, stats)
        homes = note.homes if note and note.marks_sha256 == marks else []
        here = _histories(study)
        homes = [*(home for home in homes if home not in here), _history(study, run_id)]
        found = Note(
            marks_sha256=marks,
            homes=homes,
            rows=export.rows,
            exported=list(export.paths),
            scores=scores,
        )
        store.update_json(SETTLED, lambda _: found.model_dump())
    return stats


def sources(stats: Stats) -> dict[str, ObjectStat]:
    """What an export is made from."""
    folders = {table_folder(name) for name in TABLES if name != DERIVED}
    return {key: stat for key, stat in stats.items() if key.partition("/")[0] in folders}


def changed_at(stats: Stats) -> str | None:
    """When the rows of a paid stage were last written."""
    folders = {table_folder(name) for name in PAID}
    times = [stat.changed_at for key, stat in stats.items() if key.partition("/")[0] in folders]
    return max(times).strftime("%Y-%m-%dT%H:%M:%SZ") if times else None


def waits_for_calls(study: Study, status: StudyStatus, selection: Selection) -> bool:
    """Whether any of the partitions that were asked for is to be called, so far as rows tell."""
    return any(
        _pending(study, part)
        for part in asked_for(status, selection)
        if part.partition.stage is not GRADE or not study.design.is_free(part.partition)
    )


def _pending(study: Study, part: PartitionStatus) -> int:
    if part.by_people:
        return 0
    states = ["missing", "errored", "stale"]
    if study.config.solvers.on_empty == "rerun":
        states.append("blank")
    if study.config.benchmark.from_logs:
        return sum(part.own(state) for state in states)
    return sum(getattr(part, state) for state in states)


def _note(store: ResultsStore) -> Note | None:
    """The note as it was written; one that is damaged says nothing, and is written anew."""
    try:
        return Note.model_validate_json(next(store.backend.read_many([SETTLED])) or b"")
    except ValidationError:
        return None


def _histories(study: Study) -> set[str]:
    """The marks of the runs that Dagster's history of this machine has.

    One that has not seen the study, or was moved away or emptied, is to show what there is. Where
    a server keeps it, its home stands for all of it.
    """
    runs = _runs_folder(study)
    if not runs.is_dir():
        return {_history(study, "")}
    return {_history(study, file.stem) for file in runs.glob("*.db")}


def _history(study: Study, run_id: str) -> str:
    """The mark of a run in the history that the runs of this machine are recorded in."""
    runs = _runs_folder(study)
    home = dagster_home_of(study.config_dir)
    inode = home.stat().st_ino if home.is_dir() else None
    place = runs / run_id if runs.is_dir() else f"{home} {inode}"
    return hashlib.sha256(f"{platform.node()} {place}".encode()).hexdigest()


def _runs_folder(study: Study) -> Path:
    """Where Dagster keeps a file for each run, unless a server keeps its history."""
    return dagster_home_of(study.config_dir) / "history" / "runs"


def _fingerprint(study: Study, stats: Stats) -> str:
    """One text for the code, the config with its templates and prices, and every object.

    Of the YAML counts what it says: a comment changes nothing.
    """
    marks = sorted((key, stat.mark) for key, stat in stats.items())
    config = study.config.model_dump_json(exclude_unset=True)
    says = replace(study.snapshot, config=config, replaced={})
    what = [version("itemeval-assets"), says.to_json(), marks]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()
