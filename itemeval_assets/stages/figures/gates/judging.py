"""One grader's verdict on one candidate, in words and with what would decide."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.errors import ConfigError, ItemevalAssetsError
from itemeval_assets.core.records.summaries import MANY
from itemeval_assets.core.text.words import counted, dollars
from itemeval_assets.measurement import (
    Cost,
    Difference,
    Inferiority,
    MeasurementError,
    PairedVariances,
    cheapest_design,
    inferiority,
)
from itemeval_assets.measurement.comparisons.inferiority import items_of_no_spread
from itemeval_assets.measurement.planning.designs import MOST_ITEMS

from ..comparisons.remarks import about_points, in_points
from ..planned import PlannedCells
from ..plans.costs import StudyCosts, costs_of
from ..plans.plan import full_policy
from ..plans.records import Test
from .records import EXIT_CODES, Decision, Judged, StudyGate, Verdict

__all__ = ["Bench", "Lacking", "gate_of"]

# How often the design that would decide does so, if the difference stays as it is.
_POWER = 0.9
# Of fewer items t says little.
_FEWEST_ITEMS = 10


class Lacking(NamedTuple):
    """How many of the planned cells have no score, of the side that lacks the larger part."""

    without_score: int
    cells: int

    @property
    def are_many(self) -> bool:
        """Whether they could hide what is worse: then nothing passes."""
        return self.without_score > MANY * self.cells


@dataclass(frozen=True)
class Bench:
    """What all verdicts of a gate have in common. `n_metrics`: how many must pass."""

    planned: PlannedCells
    margin: float
    n_metrics: int

    @cached_property
    def costs(self) -> StudyCosts | None:
        """Null where nobody can tell what calls cost, as where a dataset is out of reach."""
        try:
            return costs_of(self.planned, full_policy(self.planned))
        except ItemevalAssetsError:
            return None

    def judged(
        self,
        judge: GradeCondition,
        found: Difference,
        names: tuple[str, str],
        lacking: Lacking,
        variances: Callable[[], PairedVariances],
        words: tuple[str, ...] = (),
    ) -> Judged:
        """The verdict on a candidate; `found` is candidate less against, `names` are theirs.

        `variances` are asked for where the items do not decide. Raises MeasurementError for too
        few items, and ConfigError for a margin that no difference reaches.
        """
        scale = judge.grader.scale
        if found.n_items < _FEWEST_ITEMS:
            raise MeasurementError(
                f"gate: {names[0]} and {names[1]} share {counted(found.n_items, 'item')} with a"
                f" score of both by {judge.label}: a gate needs {_FEWEST_ITEMS} or more"
            )
        try:
            bounds = inferiority(found, self.margin, scale=scale, n_metrics=self.n_metrics)
        except MeasurementError as error:
            raise ConfigError(f"gate.margin, by {judge.label}: {error}") from error
        is_open = bounds.verdict == "INCONCLUSIVE"
        result = Judged(
            candidate=names[0],
            against=names[1],
            graded_by=judge.label,
            scale=scale,
            verdict=bounds.verdict,
            value=bounds.value,
            low=bounds.low,
            high=bounds.high,
            n_items=found.n_items,
            says="",
            to_decide=self._decision(judge, found, bounds, variances) if is_open else None,
            words=[*words, *found.warnings],
        )
        return _unless(lacking, replace(result, says=_sentence(result, bounds)))

    def same(
        self, judge: GradeCondition, names: tuple[str, str], n_items: int, lacking: Lacking
    ) -> Judged:
        """The verdict on what is the same, call by call."""
        result = Judged(
            candidate=names[0],
            against=names[1],
            graded_by=judge.label,
            scale=judge.grader.scale,
            verdict="PASS",
            value=0.0,
            low=0.0,
            high=0.0,
            n_items=n_items,
            says=f"{names[0]} and {names[1]} are the same grading events on the"
            f" {counted(n_items, 'item')} that both have: no score is new there.",
        )
        return _unless(lacking, result)

    def _decision(
        self,
        judge: GradeCondition,
        found: Difference,
        bounds: Inferiority,
        variances: Callable[[], PairedVariances],
    ) -> Decision | None:
        """The cheapest design that decides; null where no design of a million items does."""
        repeats = len(self.planned.study.design.repeats_of(judge))
        here = self.planned.study.config.facets.replications, repeats
        population = self.costs.population if self.costs else self.planned.items.num_rows
        is_worse = bounds.value < -self.margin
        alpha = (1 - bounds.level) / (self.n_metrics if is_worse else 1)
        if found.method.startswith("paired, no spread"):
            items = items_of_no_spread(found, self.margin, judge.grader.scale, alpha)
            return None if items is None else self._costing(judge, (items, *here), population)
        gap = abs(bounds.value + self.margin)
        if gap == 0:
            return None
        amounts = self.costs.cost_of(judge) if self.costs else _calls_alone
        test = Test(alpha=2 * alpha, power=_POWER)
        for most in (max(2, population), MOST_ITEMS):
            try:
                design = cheapest_design(variances(), amounts, gap, most_items=most, **test)
            except MeasurementError:
                continue
            numbers = (design.items, design.replications, design.repeats)
            return self._costing(judge, numbers, population)
        return None

    def _costing(
        self, judge: GradeCondition, numbers: tuple[int, int, int], population: int
    ) -> Decision:
        found = self.costs.of(judge)(*numbers) if self.costs else (None, None, None)
        return Decision(
            items=numbers[0],
            replications=numbers[1],
            repeats=numbers[2],
            calls=found[0],
            usd=found[1],
            at_most_usd=found[2],
            population=population,
        )


def gate_of(bench: Bench, against: str, judged: list[Judged], notes: list[str]) -> StudyGate:
    """The verdict of all."""
    planned, verdicts = bench.planned, [one.verdict for one in judged]
    verdict: Verdict = "PASS"
    if "FAIL" in verdicts:
        verdict = "FAIL"
    elif "INCONCLUSIVE" in verdicts:
        verdict = "INCONCLUSIVE"
    return StudyGate(
        study=planned.study.name,
        policy=planned.policy_name,
        against=against,
        margin=bench.margin,
        level=planned.level,
        cluster=planned.cluster,
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        judged=judged,
        notes=[*notes, *planned.about_mocks],
    )


def _calls_alone(items: int, replications: int, repeats: int) -> Cost:
    return Cost(items * replications * (1 + repeats))


def _sentence(one: Judged, bounds: Inferiority) -> str:
    """`b is not worse than a by 2 points or more: it is 0.4 points better (at least -1.1, ...).`"""
    margin = in_points(bounds.margin, one.scale)
    by = f"{100 * bounds.level:g} %, {counted(one.n_items, 'item')}"
    value = about_points(one.value, one.scale)
    if bounds.low is None or bounds.high is None:
        return (
            f"{one.candidate} less {one.against} is {value} on each of {one.n_items:,} items;"
            " without a declared scale nobody knows what others could be."
        )
    low, high = (about_points(end, one.scale) for end in (bounds.low, bounds.high))
    if one.verdict == "PASS":
        return (
            f"{one.candidate} is not worse than {one.against} by {margin} or more: the difference"
            f" is {value}, and {low} or more ({by})."
        )
    if one.verdict == "FAIL":
        return (
            f"{one.candidate} is worse than {one.against} by more than {margin}: the difference is"
            f" {value}, and {high} or less ({by})."
        )
    return (
        f"Whether {one.candidate} is worse than {one.against} by {margin} is not decided: the"
        f" difference is {value}, from {low} to {high} ({by}). {_of_decision(one)}"
    )


def _unless(lacking: Lacking, one: Judged) -> Judged:
    """The verdict; PASS only where nearly all cells have a score."""
    if one.verdict != "PASS" or not lacking.are_many:
        return one
    says = (
        f"Whether {one.candidate} is worse than {one.against} is not decided:"
        f" {lacking.without_score:,} of {counted(lacking.cells, 'cell')} have no score, which may"
        " hide what is worse, and PASS needs nearly all. Run the study again, or look at them"
        " with `cells`."
    )
    return replace(one, verdict="INCONCLUSIVE", says=says)


def _of_decision(one: Judged) -> str:
    found = one.to_decide
    if found is None:
        return "No number of items is sure to decide, as the difference is next to the margin."
    repeats = f" x {counted(found.repeats, 'judge repeat')}" if found.repeats > 1 else ""
    design = (
        f"{counted(found.items, 'item')} x {counted(found.replications, 'replication')}{repeats}"
    )
    cost = "" if found.calls is None else f": {counted(found.calls, 'further call')}"
    if found.calls is not None and found.at_most_usd is not None:
        cost += f", for at most {dollars(found.at_most_usd)}"
    more = found.items - found.population
    lacking = (
        f" The data have {found.population:,} items: {more:,} are lacking." if more > 0 else ""
    )
    return (
        f"{design} would decide in {100 * _POWER:g} % of such studies, if the difference stays as"
        f" it is{cost}.{lacking}"
    )
