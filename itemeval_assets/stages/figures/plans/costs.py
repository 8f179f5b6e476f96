"""What a design costs beyond the answers and gradings that are stored."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.items.sampling import first_by_hash
from itemeval_assets.core.design.options import PlanOptions
from itemeval_assets.core.design.partitions import RUBRIC, Partition
from itemeval_assets.core.design.selection import select
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.design.tranches import with_tranche
from itemeval_assets.measurement import Cost
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.items import known
from itemeval_assets.stages.projection.estimate import cells_of
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import ResultsStore

from ..planned import PlannedCells
from .parts import Amounts, Part, Rows

__all__ = ["StudyCosts", "costs_of"]


@dataclass(frozen=True)
class StudyCosts:
    """What the calls of a study cost, by partition, with its waves and rejudges.

    `repeats`: {first id of a judge: its partitions, by what it grades and when, and repeat}.
    `n_items` are those of the study, `population` those that they may be a sample of. `unpriced`:
    models without a known price.
    """

    parts: dict[Partition, Part]
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
        anew = [row[0].anew for row in rows]

        def amounts(items: int, replications: int, repeats: int) -> Amounts:
            found = [*others, *_of_repeats(rows, anew, repeats)]
            each = (one.amounts(items, replications) for one in found)
            return sum(each, Amounts(0, 0.0, 0.0))

        return amounts

    def cost_of(
        self, judge: GradeCondition, *, at_most: bool = False
    ) -> Callable[[int, int, int], Cost]:
        """As `of`, for `measurement`: by USD as expected, or at most."""
        amounts = self.of(judge)

        def cost(*numbers: int) -> Cost:
            found = amounts(*numbers)
            return Cost(found.calls, found.at_most_usd if at_most else found.usd)

        return cost


def _of_repeats(rows: list[list[Part]], anew: list[Part], repeats: int) -> Iterator[Part]:
    """The first repeats of each row; those that the design lacks cost what the first does."""
    for row, first in zip(rows, anew, strict=True):
        yield from row[:repeats]
        yield from [first] * max(0, repeats - len(row))


def costs_of(planned: PlannedCells, policy: str) -> StudyCosts:
    """The prices of now, and what is stored. Makes no call, and writes nothing."""
    study, store = planned.study, planned.store
    items, selection = known(study, store), select(study.design)
    # A plan is of all items, whatever is bought so far.
    whole = with_tranche(study, max(1, items.table.num_rows))
    scope = Scope(
        study=_with_one_more(whole, store, selection.partitions),
        store=store,
        prices=load_prices(study),
        items=items.table,
        options=PlanOptions(policy=policy),
    )
    order = _order(study, items.table["item_id"].to_pylist())
    parts = {
        partition: Part(
            cells,
            order,
            _rows(study, partition, scope, order),
            scope.usd,
            is_once=partition.stage is RUBRIC,
        )
        for partition, cells in cells_of(scope, selection).items()
    }
    of = items.sample.of if items.sample else 0
    return StudyCosts(
        parts,
        _repeats(study, parts),
        len(order),
        max(len(order), of),
        _unpriced(scope, parts),
    )


def _with_one_more(study: Study, store: ResultsStore, partitions: Collection[Partition]) -> Study:
    """With a replication more than the design and the rows have: nothing of it is stored."""
    most = study.config.facets.replications
    for partition in partitions:
        epochs = store.read(partition.stage.table, [partition], ["epoch"])["epoch"].to_numpy()
        most = max(most, int(epochs.max(initial=0)))
    facets = study.config.facets.model_copy(update={"replications": most + 1})
    return replace(study, config=study.config.model_copy(update={"facets": facets}))


def _order(study: Study, ids: list[str]) -> np.ndarray:
    """A sample is in its order; of all items one is drawn with the seed 0."""
    is_drawn = study.config.benchmark.sample is not None
    return np.array(range(len(ids)) if is_drawn else first_by_hash(ids, len(ids)))


def _rows(study: Study, partition: Partition, scope: Scope, order: np.ndarray) -> Rows:
    """Those of the first n items that a partition has: anchors are in the order of the seed 0."""
    anchors, sample = study.design.anchors_of(partition), study.config.benchmark.sample
    if anchors is None or anchors >= len(order):
        return lambda n: n
    if sample is None or (sample.seed == 0 and sample.by is None):
        return lambda n: min(n, anchors)
    ids = scope.items["item_id"].to_pylist()
    return partial(_anchors, [ids[place] for place in order], anchors, {})


def _anchors(ids: list[str], count: int, found: dict[int, np.ndarray], n: int) -> np.ndarray:
    if n not in found:
        found[n] = np.array(first_by_hash(ids[:n], count))
    return found[n]


def _repeats(study: Study, parts: Collection[Partition]) -> dict[str, list[list[Partition]]]:
    found: dict[str, list[list[Partition]]] = {}
    for first in study.design.grade:
        if not first.grader.call or first.grader.repeat > 1:
            continue
        ids = [one.id for one in study.design.repeats_of(first)]
        rows = [[Partition((one.id, id)) for id in ids] for one in study.design.generate]
        found.setdefault(first.first_id, []).extend(
            row for row in rows if all(one in parts for one in row)
        )
    return found


def _unpriced(scope: Scope, parts: dict[Partition, Part]) -> tuple[str, ...]:
    models = {part.cells.model for part in parts.values()}
    return tuple(sorted(one for one in models if scope.usd(one, _ONE_TOKEN) is None))


_ONE_TOKEN = {"input_tokens": 1, "output_tokens": 1}
