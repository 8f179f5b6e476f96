"""Whether a run has anything to do. Where it has not, it starts no run of Dagster.

Nothing is to be done where every cell that was asked for has its row, and the study directory is
as it was when a run last exported it: then each table that follows from others is up to date, no
log waits to be read, and no rule is broken. Whatever changed meanwhile, a log of a killed run or a
file that somebody deleted, leaves another mark: then the run looks at everything again.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version

from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.partitions import GENERATE
from itemeval_assets.core.design.selection import Selection
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.settings import dagster_home_of
from itemeval_assets.stages.export import ExportResult, exported
from itemeval_assets.stages.items import changed_datasets
from itemeval_assets.stages.views.status import PartitionStatus, StudyStatus, survey
from itemeval_assets.storage.objects.stats import ObjectStat
from itemeval_assets.storage.study.layout import SETTLED, table_folder
from itemeval_assets.storage.study.store import ResultsStore

from .summary import RunSummary, asked_for

Stats = Mapping[str, ObjectStat]
RESULTS = ("solutions", "gradings")
# Of the tables, the one that an export adds up itself.
DERIVED = "ledger"


def nothing_to_do(
    study: Study, store: ResultsStore, selection: Selection, options: RunOptions
) -> RunSummary | None:
    """What a run says that has nothing to do; null where it may have. Writes nothing."""
    if options.force or options.recover_only or not _has_history(study):
        return None
    known = store.read_json(SETTLED)
    if known is None:
        return None
    stats = store.stats()
    if known.get("marks_sha256") != _fingerprint(study, stats) or changed_datasets(study, store):
        return None
    status = survey(study, store, options.policy)
    if any(_pending(study, part) for part in asked_for(status, selection)):
        return None
    return RunSummary(
        study=study.name,
        status=status,
        export=exported(store, known["rows"], known["exported"]),
        changed_at=changed_at(stats),
    )


def remember(study: Study, store: ResultsStore, before: Stats, export: ExportResult) -> None:
    """Note what the study looks like after an export; not where others have written meanwhile.

    `before`: what its `sources` looked like before.
    """
    stats = store.stats()
    if sources(stats) == before:
        found = {
            "marks_sha256": _fingerprint(study, stats),
            "rows": export.rows,
            "exported": list(export.paths),
        }
        store.update_json(SETTLED, lambda _: found)


def sources(stats: Stats) -> dict[str, ObjectStat]:
    """What an export is made from."""
    folders = {table_folder(name) for name in TABLES if name != DERIVED}
    return {key: stat for key, stat in stats.items() if key.partition("/")[0] in folders}


def changed_at(stats: Stats) -> str | None:
    """When solutions or gradings were last written."""
    folders = {table_folder(name) for name in RESULTS}
    times = [stat.changed_at for key, stat in stats.items() if key.partition("/")[0] in folders]
    return max(times).strftime("%Y-%m-%dT%H:%M:%SZ") if times else None


def waits_for_calls(study: Study, status: StudyStatus, selection: Selection) -> bool:
    """Whether any of the partitions that were asked for is to be called, so far as rows tell."""
    return any(
        _pending(study, part)
        for part in asked_for(status, selection)
        if part.partition.stage is GENERATE or not study.design.is_free(part.partition)
    )


def _pending(study: Study, part: PartitionStatus) -> int:
    blank = part.blank if study.config.solvers.on_empty == "rerun" else 0
    return part.missing + part.errored + part.stale + blank


def _has_history(study: Study) -> bool:
    """Whether Dagster has been at work here: a new home is to show what there is."""
    return (dagster_home_of(study.config_dir) / "dagster.yaml").is_file()


def _fingerprint(study: Study, stats: Stats) -> str:
    """One text for the code, the config with its templates and prices, and every object."""
    marks = sorted((key, stat.mark) for key, stat in stats.items())
    what = [version("itemeval-assets"), study.snapshot.to_json(), marks]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()
