"""gradings_long: gradings left-joined to their solutions, one row per grading event."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import GRADINGS_LONG, SOLUTIONS, arrow_schema
from itemeval_assets.core.tables.sources import FROM_GRADINGS, FROM_SOLUTIONS
from itemeval_assets.storage.objects.stats import ObjectStat
from itemeval_assets.storage.study.layout import table_key
from itemeval_assets.storage.study.store import ResultsStore


def write(
    store: ResultsStore, partitions: Iterable[Partition]
) -> Iterator[tuple[Partition, pa.Table]]:
    """Write these partitions anew, and yield the rows of each.

    On a disk one is in memory at a time; in a bucket, as many as are written together.
    """
    made = _made(store, list(partitions))
    while some := list(islice(made, store.backend.at_once)):
        store.replace_each("gradings_long", some)
        yield from some


def _made(store: ResultsStore, partitions: list[Partition]) -> Iterator[tuple[Partition, pa.Table]]:
    of, solutions = None, arrow_schema(SOLUTIONS).empty_table()
    for partition, gradings in zip(
        partitions, store.read_each("gradings", partitions), strict=True
    ):
        if partition.solutions != of:
            of = partition.solutions
            solutions = store.read("solutions", [of])
        yield partition, join(gradings, solutions)


def behind(study: Study, stats: Mapping[str, ObjectStat]) -> list[Partition]:
    """The partitions whose rows are older than those that they are joined from, or not there.

    `stats`: of the objects of the study. A run that was killed between the two steps leaves such.
    """

    def written(table: str, partition: Partition) -> datetime | None:
        found = stats.get(table_key(table, partition))
        return found.changed_at if found else None

    found = []
    for partition in study.grade_partitions():
        graded, joined = written("gradings", partition), written("gradings_long", partition)
        answered = written("solutions", partition.solutions)
        if graded and (joined is None or joined < max(graded, answered or graded)):
            found.append(partition)
    return found


def join(gradings: pa.Table, solutions: pa.Table) -> pa.Table:
    """The long rows of some gradings; as many rows as `gradings`, in their order.

    Joins on (gen_condition_id, item_id, epoch) = (condition_id, item_id, epoch).
    """
    schema = arrow_schema(GRADINGS_LONG)
    place = {key: index for index, key in enumerate(_keys(solutions, "condition_id"))}
    found = [place.get(key) for key in _keys(gradings, "gen_condition_id")]
    matched = solutions.take(pa.array(found, pa.int64()))
    columns = {
        **{long: gradings[name] for long, name in FROM_GRADINGS.items()},
        **{long: matched[name] for long, name in FROM_SOLUTIONS.items()},
    }
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _keys(table: pa.Table, condition: str) -> list[tuple[str, str, int]]:
    columns = (table[name].to_pylist() for name in (condition, "item_id", "epoch"))
    return list(zip(*columns, strict=True))
