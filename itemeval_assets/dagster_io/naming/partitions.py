"""Partitions: one per condition, from the YAML, when the code location loads."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from itemeval_assets.core.design.partitions import GENERATE, GRADE, RUBRIC, Partition, Stage
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.schemas import TABLES

from .keys import PartitionKeys
from .names import GENERATE_DIMENSION, GRADE_DIMENSION

if TYPE_CHECKING:
    import pyarrow as pa

    from itemeval_assets.core.tables.split import Parts

# The columns whose values make up a row's partition.
_PARTITION_COLUMNS = {
    **{table.name: table.partitioned_by for table in TABLES.values() if table.partitioned_by},
    GENERATE.ledger: ("condition_id",),
    RUBRIC.ledger: ("condition_id",),
    GRADE.ledger: ("gen_condition_id", "condition_id"),
}


def generate_partitions(study: Study) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition(list(PartitionKeys(study).generate.values()))


def grade_partitions(study: Study) -> dg.MultiPartitionsDefinition:
    """The grid of solutions and their gradings: a new judge is a new column."""
    keys = PartitionKeys(study)
    return dg.MultiPartitionsDefinition(
        {
            GENERATE_DIMENSION: generate_partitions(study),
            GRADE_DIMENSION: dg.StaticPartitionsDefinition(list(keys.grade.values())),
        }
    )


def rubric_partitions(study: Study) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition(list(PartitionKeys(study).written.values()))


def partitions_of(
    study: Study, stage: Stage
) -> dg.StaticPartitionsDefinition | dg.MultiPartitionsDefinition:
    """The partitions of a stage of the study, in the order of its design."""
    of = {GENERATE: generate_partitions, RUBRIC: rubric_partitions, GRADE: grade_partitions}
    return of[stage](study)


def require_of_design(partitions: Sequence[Partition]) -> None:
    """Raise ConfigError where a run has none: the grid also has pairs that nobody grades."""
    if not partitions:
        raise ConfigError(
            "rejudges: only the first answers are graded again, and these are of a wave"
        )


def backfill_policy(study: Study) -> dg.BackfillPolicy:
    """How many partitions of a backfill one run takes: all, or as many as the study says."""
    size = study.config.automation.partitions_per_run
    return dg.BackfillPolicy.multi_run(size) if size else dg.BackfillPolicy.single_run()


def same_generate_condition() -> dg.MultiToSingleDimensionPartitionMapping:
    """A new solution makes exactly its own gradings stale."""
    return dg.MultiToSingleDimensionPartitionMapping(GENERATE_DIMENSION)


def by_partition(rows: "pa.Table", asset: str) -> "Parts":
    """The rows of an asset's table by partition."""
    # Late: definitions load without pyarrow.
    from itemeval_assets.core.tables.split import Parts

    return Parts(rows, _PARTITION_COLUMNS[asset])
