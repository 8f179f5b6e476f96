"""plan: which design finds which difference, and what it costs, by each grader."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.text.words import dollars
from itemeval_assets.measurement import (
    MeasurementError,
    PairedVariances,
    PlannedDesign,
    best_design,
    cheapest_design,
    plan_frontier,
)
from itemeval_assets.measurement.planning.designs import ITEMS, MOST_ITEMS
from itemeval_assets.measurement.planning.power import checked_power

from ..comparisons.remarks import about_points, in_points
from ..planned import PlannedCells
from .costs import StudyCosts, costs_of
from .lines import lines_of_design, words_on_items
from .parts import Amounts
from .pilot import pilot_of
from .records import GraderPlan, PlanRow, StudyPlan, Test
from .variances import Pair, pair_of, variances_of

__all__ = ["Asked", "full_policy", "judges_of", "plan"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a plan is for. `stated`: variances in the place of those of stored rows."""

    detect: float | None = None
    max_usd: float | None = None
    power: float = 0.8
    pilot: int | None = None
    stated: Mapping[str, Any] | None = None


def plan(
    planned: PlannedCells,
    graders: Collection[str],
    asked: Asked,
    a: str | None = None,
    b: str | None = None,
) -> StudyPlan:
    """The designs of a study by each grader, or its pilot. Makes no call.

    Raises MeasurementError where no grader allows a plan, and ConfigError for a wrong request.
    """
    alpha = 1 - planned.level
    checked_power(alpha, asked.power)
    pair = pair_of(planned, a, b)
    policy = full_policy(planned)
    pilot = None if asked.pilot is None else pilot_of(planned, asked.pilot)
    costs = costs_of(planned, policy)
    known = StudyPlan(
        study=planned.study.name,
        policy=policy,
        of=pair.words,
        alpha=alpha,
        power=asked.power,
        detect=asked.detect,
        max_usd=asked.max_usd,
        n_items=costs.n_items,
        population=costs.population,
        pilot=pilot,
    )
    if pilot:
        return known
    found, refused = [], []
    for judge in judges_of(planned, graders):
        try:
            found.append(_by_grader(planned, costs, judge, pair, asked, alpha))
        except MeasurementError as error:
            refused.append(error)
            scale = judge.grader.scale
            found.append(GraderPlan(graded_by=judge.label, scale=scale, words=[str(error)]))
    if len(refused) == len(found):
        raise refused[0]
    return replace(known, by_grader=found)


def full_policy(planned: PlannedCells) -> str:
    """The policy of the study; that of all items in the place of dev, which is for trials."""
    return "full-interactive" if planned.policy_name == "dev" else planned.policy_name


def judges_of(planned: PlannedCells, graders: Collection[str]) -> list[GradeCondition]:
    """The chosen graders; of the repeats of a judge the first."""
    first: dict[str, GradeCondition] = {}
    for one in planned.study.design.grade:
        if one.id in graders:
            first.setdefault(one.first_id, one)
    return list(first.values())


def _by_grader(
    planned: PlannedCells,
    costs: StudyCosts,
    judge: GradeCondition,
    pair: Pair,
    asked: Asked,
    alpha: float,
) -> GraderPlan:
    _require_within(asked.detect, judge)
    variances = variances_of(planned, judge, pair, asked.stated or {})
    test, now = Test(alpha=alpha, power=asked.power), _now(planned, costs, judge)
    chosen, words = _chosen(variances, costs, judge, asked, test)
    designs = _designs(variances, costs, judge, now, test)
    rows, amounts = dict[tuple[int, int, int], PlanRow](), costs.of(judge)
    for one in [*designs, *([chosen] if chosen else [])]:
        numbers = _numbers_of(one)
        rows[numbers] = _row(one, amounts(*numbers), _note(numbers, now, chosen, costs))
    picked = _numbers_of(chosen) if chosen else None
    return GraderPlan(
        graded_by=judge.label,
        scale=judge.grader.scale,
        variances=variances,
        designs=sorted(rows.values(), key=lambda row: (-row.detect, row.calls)),
        chosen=rows[picked] if picked else None,
        lines=lines_of_design(planned.study, judge, picked, costs) if picked else [],
        words=[*pair.taken, *words, *_words_on(planned, picked, costs), *variances.warnings],
    )


def _require_within(detect: float | None, judge: GradeCondition) -> None:
    scale = judge.grader.scale
    if detect is not None and scale and detect > scale[1] - scale[0]:
        raise MeasurementError(
            f"detect is {detect:g}, and the scale of {judge.label} is {scale[0]:g} to"
            f" {scale[1]:g}: no difference is larger; give it in units of the score"
        )


def _designs(
    variances: PairedVariances,
    costs: StudyCosts,
    judge: GradeCondition,
    now: tuple[int, int, int],
    test: Test,
) -> list[PlannedDesign]:
    """Those that no other beats, of the items that there are, and that of now."""
    cost, (n, k, r) = costs.cost_of(judge), now
    items = sorted({*(n for n in ITEMS if n < costs.population), n, costs.population})
    own = plan_frontier(variances, cost, items=[n], replications=[k], repeats=[r], **test)
    return [*plan_frontier(variances, cost, items=items, **test), *own]


def _numbers_of(design: PlannedDesign) -> tuple[int, int, int]:
    return design.items, design.replications, design.repeats


def _now(planned: PlannedCells, costs: StudyCosts, judge: GradeCondition) -> tuple[int, int, int]:
    """The design of the YAML, by the policy that takes all items."""
    repeats = len(planned.study.design.repeats_of(judge))
    return costs.n_items, planned.study.config.facets.replications, repeats


def _chosen(
    variances: PairedVariances,
    costs: StudyCosts,
    judge: GradeCondition,
    asked: Asked,
    test: Test,
) -> tuple[PlannedDesign | None, list[str]]:
    """The design that is asked for, within the data where these have one."""
    if asked.max_usd is not None and costs.unpriced:
        raise MeasurementError(
            f"max_usd: no price is known for {', '.join(costs.unpriced)}: give it one in the file"
            " of budget.pricing_path, or ask for a difference (detect)"
        )
    cost, most, scale = costs.cost_of(judge), max(2, costs.population), judge.grader.scale
    if asked.detect is None:
        if asked.max_usd is None:
            return None, []
        return best_design(variances, cost, asked.max_usd, most_items=most, **test), []
    words = []
    try:
        found = cheapest_design(variances, cost, asked.detect, most_items=most, **test)
    except MeasurementError:
        found = cheapest_design(variances, cost, asked.detect, most_items=MOST_ITEMS, **test)
        best = _sharpest(variances, cost, most, test)
        words = [f"The items that there are find {about_points(best.detect, scale)} at best."]
    if asked.max_usd is not None and found.usd is not None and found.usd > asked.max_usd:
        most_found = best_design(variances, cost, asked.max_usd, most_items=most, **test)
        raise MeasurementError(
            f"max_usd is {asked.max_usd:g}: a difference of {in_points(asked.detect, scale)} costs"
            f" {dollars(found.usd)}; for {dollars(asked.max_usd)} the smallest is"
            f" {about_points(most_found.detect, scale)}"
        )
    return found, words


def _sharpest(
    variances: PairedVariances, cost: Callable[..., Any], items: int, test: Test
) -> PlannedDesign:
    return plan_frontier(variances, cost, items=[items], **test)[-1]


def _row(found: PlannedDesign, amounts: Amounts, note: str) -> PlanRow:
    return PlanRow(
        items=found.items,
        replications=found.replications,
        repeats=found.repeats,
        detect=found.detect,
        calls=amounts.calls,
        usd=amounts.usd,
        at_most_usd=amounts.at_most_usd,
        note=note,
    )


def _note(
    numbers: tuple[int, int, int],
    now: tuple[int, int, int],
    chosen: PlannedDesign | None,
    costs: StudyCosts,
) -> str:
    is_chosen = chosen and numbers == _numbers_of(chosen)
    notes = {
        "asked for": is_chosen,
        "now": numbers == now,
        "more items than there are": numbers[0] > costs.population,
    }
    return ", ".join(note for note, is_so in notes.items() if is_so)


def _words_on(
    planned: PlannedCells, picked: tuple[int, int, int] | None, costs: StudyCosts
) -> Iterator[str]:
    if picked:
        yield from words_on_items(planned.study, picked[0], costs.population)
    if costs.unpriced:
        models = ", ".join(costs.unpriced)
        yield f"No price is known for {models}: designs are compared by their calls."
