"""Draws some of the items at random, by the rule of `benchmark.sample`; models are drawn alike.

The order of the items is that of the sha256 of `<seed>\\n<item id>` in UTF-8: it is the same on
every machine, and in whatever order the data come. A sample is the first n of this order, so a
larger n keeps a smaller sample.

With strata, each of which has N_s of the N items, the order within a stratum is the same. Item j of
a stratum may come at place floor((j - 1) * N / N_s) + 1, and comes at place ceil(j * N / N_s) at
the latest; each place takes the item with the earliest latest place, and among equals the first
by hash. So of the first n items each stratum has n * N_s / N, rounded up or down: unit jobs with
these windows always have a schedule, and the earliest deadline finds it (Tijdeman 1980, The
chairman assignment problem; Baruah et al. 1996, Proportionate progress).
"""

import hashlib
import heapq
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, NamedTuple

from itemeval_assets.core.config.sections import DATASET_ID, SampleConfig
from itemeval_assets.core.errors import DatasetError
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.core.text.typed import read_record
from itemeval_assets.core.text.words import counted

from ..conditions.ids import canonical_json

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """`n` items that were drawn from `of`."""

    n: int
    seed: int
    by: str | None
    of: int

    @property
    def words(self) -> str:
        """As people read it."""
        strata = f", by {self.by}" if self.by else ""
        return f"sample of {self.n:,} of {counted(self.of, 'item')}, seed {self.seed}{strata}"

    @classmethod
    def of_record(cls, record: Any) -> "Sample":
        """From `record`. Raises TypeError or ValueError for what is none."""
        return read_record(cls, record)

    @property
    def record(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


class _Item(NamedTuple):
    """An item in a queue: the order of hashes, then its place in the data."""

    digest: bytes
    place: int


def drawn(items: Sequence[Row], sample: SampleConfig) -> list[int]:
    """The places of the items of a sample, in the order that they are drawn in.

    Reads item_id, and of strata metadata_json or dataset_id. Raises DatasetError for a column that
    no item has, and where there are fewer items than are to be drawn.
    """
    if sample.n > len(items):
        raise DatasetError(
            f"benchmark.sample.n: {sample.n:,} items are to be drawn, and the data have "
            f"{len(items):,}; give at most {len(items):,}, or remove `sample` to take all"
        )
    ids = [item["item_id"] for item in items]
    return list(islice(in_order(ids, _values(items, sample.by), sample.seed), sample.n))


def in_order(
    ids: Sequence[str], strata: Sequence[str], seed: int, first: Collection[str] = ()
) -> Iterator[int]:
    """The places of all ids, each of its stratum, in the order that they are drawn in.

    `first`: those that come before all others of their stratum.
    """
    queues: dict[str, list[_Item]] = {}
    for place, (id, stratum) in enumerate(zip(ids, strata, strict=True)):
        digest = b"" if id in first else _digest(seed, id)
        queues.setdefault(stratum, []).append(_Item(digest, place))
    return (item.place for item in _in_proportion([sorted(queue) for queue in queues.values()]))


def first_by_hash(item_ids: Sequence[str], n: int, seed: int = 0) -> list[int]:
    """The places of the first n items in the order of a sample without strata."""
    order = sorted(range(len(item_ids)), key=lambda place: _digest(seed, item_ids[place]))
    return order[:n]


def _digest(seed: int, item_id: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{item_id}".encode("utf-8", "surrogatepass")).digest()


def _values(items: Sequence[Row], by: str | None) -> list[str]:
    """The stratum of each item, as text."""
    if by is None:
        return [""] * len(items)
    if by == DATASET_ID:
        return [item[DATASET_ID] for item in items]
    metadata = [json.loads(item["metadata_json"]) for item in items]
    if not any(by in one for one in metadata):
        known = [*dict.fromkeys(name for one in metadata for name in one), DATASET_ID]
        raise DatasetError(
            f"benchmark.sample.by: {by!r} is no column of the items; {did_you_mean(by, known)}"
        )
    return [canonical_json(one.get(by)) for one in metadata]


def _in_proportion(strata: Sequence[Sequence[_Item]]) -> Iterator[_Item]:
    """All items, so that each beginning has every stratum in proportion."""
    total = sum(map(len, strata))
    # Of each stratum its next item: when it may come, its latest place, itself.
    coming = [(0, -(-total // len(stratum)), stratum[0], 0, stratum) for stratum in strata]
    heapq.heapify(coming)
    due: list[tuple[int, _Item, int, Sequence[_Item]]] = []
    for place in range(total):
        while coming and coming[0][0] <= place:
            _, latest, item, nr, stratum = heapq.heappop(coming)
            heapq.heappush(due, (latest, item, nr, stratum))
        _, item, nr, stratum = heapq.heappop(due)
        yield item
        if (nr := nr + 1) < len(stratum):
            opens, latest = nr * total // len(stratum), -(-(nr + 1) * total // len(stratum))
            heapq.heappush(coming, (opens, latest, stratum[nr], nr, stratum))
