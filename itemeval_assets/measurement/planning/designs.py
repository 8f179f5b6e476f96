"""Designs beside each other: what each finds, and what it costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from ..arguments import checked, is_whole
from ..records import MeasurementError
from .power import FEWEST, checked_power, t_sum
from .variances import FEWEST_ITEMS, PairedVariances

ITEMS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
NUMBERS = (1, 2, 3, 5, 10)
MOST_ITEMS = 1_000_000


class Cost(NamedTuple):
    """What a design costs. `usd` null: a price is not known, and calls are compared."""

    calls: int
    usd: float | None = None


# Of so many items, replications, and repeats of a judge.
CostOf = Callable[[int, int, int], Cost]


@dataclass(frozen=True)
class PlannedDesign:
    """So many of each: the smallest difference that is found, and what it costs."""

    items: int
    replications: int
    repeats: int
    detect: float
    calls: int
    usd: float | None


@checked
def plan_frontier(
    variances: PairedVariances,
    cost: CostOf,
    *,
    items: Sequence[int] = ITEMS,
    replications: Sequence[int] | None = None,
    repeats: Sequence[int] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> list[PlannedDesign]:
    """The designs of which no other is both as cheap and as sharp, the cheapest first.

    `cost(items, replications, repeats)` says what a design costs. The smallest difference is as in
    `smallest_difference`. Only those replications and repeats are varied whose variance is known;
    null: 1, 2, 3, 5, 10, and as many as the data have.
    """
    search = _Search(variances, cost, replications, repeats, alpha, power)
    _require_numbers(items=items)
    sizes = [n for n in sorted(set(items)) if n >= FEWEST]
    found = [search.design(n, k, r) for k, r in search.numbers for n in sizes]
    kept: list[PlannedDesign] = []
    for one in sorted(found, key=lambda design: (_price(design), design.detect)):
        if not kept or _is_sharper(one, kept[-1]):
            kept.append(one)
    return kept


def beats(one: PlannedDesign, other: PlannedDesign) -> bool:
    """Whether one is as cheap as another, and as sharp."""
    return _price(one) <= _price(other) and not _is_sharper(other, one)


def _is_sharper(one: PlannedDesign, other: PlannedDesign) -> bool:
    return one.detect < other.detect * (1 - 1e-9)


@checked
def cheapest_design(
    variances: PairedVariances,
    cost: CostOf,
    detect: float,
    *,
    most_items: int = MOST_ITEMS,
    replications: Sequence[int] | None = None,
    repeats: Sequence[int] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> PlannedDesign:
    """The cheapest design that finds a difference of `detect` with this power, of 10 items or more.

    Raises MeasurementError where `most_items` find none as small, with the smallest that they do.
    """
    search = _Search(variances, cost, replications, repeats, alpha, power)
    _require_numbers(items=[most_items])
    if detect <= 0:
        raise MeasurementError(f"detect is {detect:g}: give a difference above 0, such as 0.02")
    designs = []
    for k, r in search.numbers:
        n = _first(lambda n, k=k, r=r: search.detect(n, k, r) <= detect, most_items)
        if n is not None:
            designs.append(search.design(n, k, r))
    if designs:
        return min(designs, key=lambda one: (_price(one), one.items))
    best = min(search.detect(most_items, k, r) for k, r in search.numbers)
    raise MeasurementError(
        f"detect is {detect:g}: no design of up to {most_items:,} items finds so small a"
        f" difference; the smallest that they find is {best:.3g}"
    )


@checked
def best_design(
    variances: PairedVariances,
    cost: CostOf,
    max_usd: float,
    *,
    most_items: int = MOST_ITEMS,
    replications: Sequence[int] | None = None,
    repeats: Sequence[int] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> PlannedDesign:
    """The design that finds the smallest difference for `max_usd` or less, of 10 items or more.

    Raises MeasurementError where 10 items cost more, and where a price is not known.
    """
    search = _Search(variances, cost, replications, repeats, alpha, power)
    _require_numbers(items=[most_items])
    if max_usd <= 0:
        raise MeasurementError(f"max_usd is {max_usd:g}: give an amount above 0")
    designs, least = [], min(FEWEST_ITEMS, most_items)
    for k, r in search.numbers:
        above = _first(lambda n, k=k, r=r: _usd(search.cost_of(n, k, r)) > max_usd, most_items)
        n = most_items if above is None else above - 1
        if n >= least:
            designs.append(search.design(n, k, r))
    if not designs:
        usd = _usd(search.cost_of(least, 1, 1))
        raise MeasurementError(f"max_usd is {max_usd:g}: the smallest design costs {usd:.4g}")
    return min(designs, key=lambda one: (one.detect, _price(one)))


@dataclass(frozen=True)
class _Search:
    """Among which designs is searched, and by which test and costs they are judged."""

    variances: PairedVariances
    cost: CostOf
    replications: Sequence[int] | None
    repeats: Sequence[int] | None
    alpha: float
    power: float

    def __post_init__(self) -> None:
        checked_power(self.alpha, self.power)
        _require_numbers(replications=self.replications, repeats=self.repeats)

    @property
    def numbers(self) -> list[tuple[int, int]]:
        """Each number of replications with each of repeats."""
        known = self.variances
        of_replications = _varied(known.sigma2, self.replications, known.replications)
        return [*product(of_replications, _varied(known.judge2, self.repeats, known.repeats))]

    def design(self, n: int, k: int, r: int) -> PlannedDesign:
        found = self.cost_of(n, k, r)
        return PlannedDesign(n, k, r, self.detect(n, k, r), found.calls, found.usd)

    def detect(self, n: int, k: int, r: int) -> float:
        error = (self.variances.of_item(k, r) / n) ** 0.5
        return t_sum(n, self.variances.items_per_cluster, self.alpha, self.power) * error

    def cost_of(self, *numbers: int) -> Cost:
        if not callable(self.cost):
            raise MeasurementError(
                f"cost is {self.cost!r}: give a function of items, replications and repeats"
            )
        found = self.cost(*numbers)
        if not isinstance(found, Cost):
            raise MeasurementError(f"cost gave {found!r}: give a Cost, of calls and USD")
        return found


def _varied(variance: float | None, asked: Sequence[int] | None, observed: int) -> list[int]:
    """Of a variance that is not known, only the number that the data have."""
    if variance is None:
        return [observed]
    return sorted({*NUMBERS, observed} if asked is None else {*asked})


def _price(design: PlannedDesign) -> tuple[float, int]:
    """By USD, then by calls: where calls cost nothing, or nobody knows what, these alone."""
    return design.usd or 0.0, design.calls


def _usd(found: Cost) -> float:
    if found.usd is None:
        raise MeasurementError("max_usd: a price is not known; look at the calls instead")
    return found.usd


def _first(holds: Callable[[int], bool], most: int) -> int | None:
    """The first number up to `most`, and not below `FEWEST_ITEMS`, from which on it holds."""
    if not holds(most):
        return None
    low, high = min(FEWEST_ITEMS, most), most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _require_numbers(**given: Sequence[int] | None) -> None:
    for name, numbers in given.items():
        if numbers is None:
            continue
        if not len(numbers):
            raise MeasurementError(f"{name} is empty: give whole numbers, 1 or more")
        for count in numbers:
            if not is_whole(count, 1):
                raise MeasurementError(f"{name}: {count} is no whole number of 1 or more")
