"""Joins what a killed run has graded and not joined, before anything is made from it."""

from collections.abc import Sequence

from itemeval_assets.core.design.partitions import GRADE, Partition, Stage
from itemeval_assets.core.design.spans import axes, spans
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.stages.gradings_long import behind
from itemeval_assets.storage.objects.stats import ObjectStat
from itemeval_assets.storage.study.store import ResultsStore

from .launcher import Launcher


def join_what_is_behind(
    study: Study, store: ResultsStore, launch: Launcher
) -> dict[str, ObjectStat]:
    """Run gradings_long over the partitions whose rows are older than what they are made from.

    Returns what the study looked like then.
    """
    stats = store.stats()
    spans = key_ranges(study, GRADE, behind(study, stats))
    for span in spans:
        launch(["gradings_long"], span)
    return store.stats() if spans else stats


def key_ranges(study: Study, stage: Stage, wanted: Sequence[Partition]) -> list[tuple[str, str]]:
    """The ranges of partition keys that cover the wanted partitions, and no other."""
    keys = PartitionKeys(study)
    return [(keys.of(first), keys.of(last)) for first, last in spans(wanted, *axes(study, stage))]
