"""Partitions: one per condition, from the YAML, when the code location loads."""

import dagster as dg

from itemeval_assets.core.study import Study

from .names import GENERATE_DIMENSION, GRADE_DIMENSION

__all__ = ["generate_partitions", "grade_partitions", "same_generate_condition"]


def generate_partitions(study: Study) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition([c.id for c in study.design.generate])


def grade_partitions(study: Study) -> dg.MultiPartitionsDefinition:
    """The grid of solutions and their gradings: a new judge is a new column."""
    return dg.MultiPartitionsDefinition(
        {
            GENERATE_DIMENSION: generate_partitions(study),
            GRADE_DIMENSION: dg.StaticPartitionsDefinition([c.id for c in study.design.grade]),
        }
    )


def same_generate_condition() -> dg.MultiToSingleDimensionPartitionMapping:
    """A new solution makes exactly its own gradings stale."""
    return dg.MultiToSingleDimensionPartitionMapping(GENERATE_DIMENSION)
