"""What a design costs beyond the answers and gradings that are stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.options import PlanOptions
from itemeval_assets.core.design.partitions import GENERATE, Partition
from itemeval_assets.core.design.selection import select
from itemeval_assets.core.design.tranches import with_tranche
from itemeval_assets.core.money.projection.estimate import Projection
from itemeval_assets.measurement import Cost
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.items import known
from itemeval_assets.stages.projection.estimate import estimate
from itemeval_assets.storage.study.inputs import load_prices

from ..planned import PlannedCells

__all__ = ["Amounts", "StudyCosts", "costs_of"]


class Amounts(NamedTuple):
    """Calls to make; USD expected, or at most where no stored call tells; USD at most.

    Null where a price is not known.
    """

    calls: int
    usd: float | None
    at_most_usd: float | None

    def __add__(self, other: "Amounts") -> "Amounts":  # type: ignore[override]
        return Amounts(
            self.calls + other.calls,
            _plus(self.usd, other.usd),
            _plus(self.at_most_usd, other.at_most_usd),
        )


@dataclass(frozen=True)
class _Part:
    """A partition: what one of its cells costs, and how many of the first cells are stored.

    `stored`: int64[items + 1, replications + 1].
    """

    usd: float | None
    at_most_usd: float | None
    stored: np.ndarray

    def amounts(self, items: int, replications: int) -> Amounts:
        most = np.array(self.stored.shape) - 1
        there = int(self.stored[min(items, most[0]), min(replications, most[1])])
        calls = items * replications - there
        return Amounts(calls, _times(calls, self.usd), _times(calls, self.at_most_usd))

    @property
    def anew(self) -> "_Part":
        """The same, of which nothing is stored."""
        return _Part(self.usd, self.at_most_usd, np.zeros((1, 1), np.int64))


@dataclass(frozen=True)
class StudyCosts:
    """What the calls of a study cost, by partition.

    `repeats`: {first id of a judge: its partitions, by generate condition and repeat}. `n_items`
    are those of the study, `population` those that they may be a sample of. `unpriced`: models
    without a known price.
    """

    parts: dict[Partition, _Part]
    repeats: dict[str, list[list[Partition]]]
    n_items: int
    population: int
    unpriced: tuple[str, ...]

    def of(self, judge: GradeCondition) -> Callable[[int, int, int], Amounts]:
        """What a design with so many repeats of this judge costs; of a scorer there are none."""
        varied = self.repeats.get(judge.first_id, [])
        of_judge = {partition for row in varied for partition in row}
        others = [part for partition, part in self.parts.items() if partition not in of_judge]
        rows = [[self.parts[partition] for partition in row] for row in varied]

        def amounts(items: int, replications: int, repeats: int) -> Amounts:
            found = [*others, *_of_repeats(rows, repeats)]
            return sum((one.amounts(items, replications) for one in found), Amounts(0, 0.0, 0.0))

        return amounts

    def cost_of(self, judge: GradeCondition) -> Callable[[int, int, int], Cost]:
        """As `of`, for `measurement`."""
        amounts = self.of(judge)
        return lambda *numbers: Cost(*amounts(*numbers)[:2])


def _of_repeats(rows: list[list[_Part]], repeats: int) -> Iterator[_Part]:
    """The first repeats of each row; those that the design lacks cost what the first does."""
    for row in rows:
        yield from row[:repeats]
        yield from [row[0].anew] * max(0, repeats - len(row))


def costs_of(planned: PlannedCells, policy: str) -> StudyCosts:
    """The prices of now, and what is stored. Makes no call, and writes nothing."""
    study, store = planned.study, planned.store
    items = known(study, store)
    options = PlanOptions(policy=policy)
    # A plan is of all items, whatever is bought so far.
    whole = with_tranche(study, max(1, items.table.num_rows))
    scope = Scope(
        study=whole, store=store, prices=load_prices(study), items=items.table, options=options
    )
    found = estimate(scope, select(study.design))
    ids = pa.array(planned.items["item_id"].to_pylist(), pa.string())
    parts = {
        one.partition: _Part(
            *_of_cell(one.grid, found.items * found.replications),
            _stored(planned, one.partition, ids),
        )
        for one in (*found.generate, *found.grade)
    }
    of = items.sample.of if items.sample else 0
    unpriced = found.grid.unpriced
    return StudyCosts(parts, _repeats(planned, parts), len(ids), max(len(ids), of), unpriced)


def _repeats(planned: PlannedCells, parts: Any) -> dict[str, list[list[Partition]]]:
    found: dict[str, list[list[Partition]]] = {}
    by_judge: dict[str, list[str]] = {}
    for one in planned.study.design.grade:
        if one.grader.call:
            by_judge.setdefault(one.first_id, []).append(one.id)
    for first, ids in by_judge.items():
        rows = [
            [Partition((generate.id, id)) for id in ids]
            for generate in planned.study.design.generate
        ]
        found[first] = [row for row in rows if all(one in parts for one in row)]
    return found


def _of_cell(grid: Projection, cells: int) -> tuple[float | None, float | None]:
    """USD of one cell: expected, else at most; and at most."""
    if grid.unpriced or not cells:
        return (None, None) if grid.unpriced else (0.0, 0.0)
    most = grid.usd / cells
    return (most if grid.expected_usd is None else grid.expected_usd / cells), most


def _stored(planned: PlannedCells, partition: Partition, ids: pa.Array) -> np.ndarray:
    """How many cells of the first n items and k replications have a row without an error."""
    table = "solutions" if partition.stage is GENERATE else "gradings"
    rows = planned.store.read(table, [partition], ["item_id", "epoch", "error"])
    rows = rows.filter(pc.is_null(rows["error"]))  # type: ignore[attr-defined]
    place = pc.index_in(rows["item_id"], value_set=ids)  # type: ignore[attr-defined]
    known = place.is_valid().to_numpy()
    epochs = rows["epoch"].to_numpy()[known]
    there = np.zeros((len(ids) + 1, int(epochs.max(initial=0)) + 1), np.int64)
    there[place.to_numpy()[known].astype(np.int64) + 1, epochs] = 1
    return there.cumsum(axis=0).cumsum(axis=1)


def _times(calls: int, usd: float | None) -> float | None:
    return None if usd is None else calls * usd


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
