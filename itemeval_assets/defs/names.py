"""Names in Dagster: asset keys, groups, ops, partition keys."""

from collections.abc import Iterable

import dagster as dg

from itemeval_assets.core.study import Partition, Study

__all__ = [
    "GENERATE_DIMENSION",
    "GRADE_DIMENSION",
    "asset_key",
    "identifier",
    "partition_key",
    "to_partition",
    "to_partitions",
]

GENERATE_DIMENSION, GRADE_DIMENSION = "generate", "grade"


def identifier(study: Study) -> str:
    """The study's name where Dagster allows letters, digits and `_` only."""
    return study.name.replace("-", "_")


def asset_key(study: Study, table: str) -> dg.AssetKey:
    return dg.AssetKey([study.name, table])


def partition_key(partition: Partition) -> str:
    """The Dagster key of a partition: dimensions in alphabetical order, joined by `|`."""
    return "|".join(partition)


def to_partition(key: str) -> Partition:
    """The partition that a Dagster key names."""
    return tuple(key.split("|"))


def to_partitions(keys: Iterable[str], order: list[Partition]) -> list[Partition]:
    """The partitions of some keys, in the order of the design."""
    wanted = {to_partition(key) for key in keys}
    return [partition for partition in order if partition in wanted]
