"""plan: which design finds which difference, and what it costs, by each grader."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement import (
    MeasurementError,
    PairedVariances,
    PlannedDesign,
    plan_frontier,
)
from itemeval_assets.measurement.planning.designs import ITEMS, beats
from itemeval_assets.measurement.planning.power import checked_power

from ..planned import PlannedCells
from .chosen import Asked, chosen_design, numbers_of
from .costs import StudyCosts, costs_of
from .lines import lines_of_design, words_on_items
from .parts import Amounts
from .pilot import pilot_of
from .records import GraderPlan, PlanRow, StudyPlan, Test
from .room import Room, room_of
from .variances import Pair, pair_of, variances_of

__all__ = ["Asked", "full_policy", "judges_of", "plan"]

# Of a level: what floats leave behind them says nothing.
_DIGITS = 12


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
    alpha = round(1 - planned.level, _DIGITS)
    checked_power(alpha, asked.power)
    pair = pair_of(planned, a, b)
    policy = full_policy(planned)
    pilot = None if asked.pilot is None else pilot_of(planned, asked.pilot)
    costs, room = costs_of(planned, policy), room_of(planned.study, planned.store)
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
        notes=[*room.words_on(pilot.at_most_usd)] if pilot else [],
    )
    if pilot:
        return known
    found, refused, judges = [], [], judges_of(planned, graders)
    _require_judge(judges, asked)
    for judge in judges:
        try:
            found.append(_by_grader(planned, costs, room, judge, pair, asked, alpha))
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


def _require_judge(judges: Collection[GradeCondition], asked: Asked) -> None:
    if "judge2" in (asked.stated or {}) and not any(one.grader.asked for one in judges):
        listed = ", ".join(one.label for one in judges)
        raise ConfigError(f"judge2: {listed} is no judge, so it has no repeats; leave judge2 out")


def _by_grader(
    planned: PlannedCells,
    costs: StudyCosts,
    room: Room,
    judge: GradeCondition,
    pair: Pair,
    asked: Asked,
    alpha: float,
) -> GraderPlan:
    variances = variances_of(planned, judge, pair, asked.stated or {})
    test, now = Test(alpha=alpha, power=asked.power), _now(planned, costs, judge)
    chosen, words = chosen_design(variances, costs, judge, asked, test)
    designs = _designs(variances, costs, judge, now, chosen, test)
    rows, amounts = dict[tuple[int, int, int], PlanRow](), costs.of(judge)
    for one in designs:
        numbers = numbers_of(one)
        found = amounts(*numbers)
        is_over = room.forbids(found.at_most_usd)
        rows[numbers] = _row(one, found, _note(numbers, now, chosen, costs, is_over))
    picked = numbers_of(chosen) if chosen else None
    refused = room.words_on(rows[picked].at_most_usd) if picked else ()
    return GraderPlan(
        graded_by=judge.label,
        scale=judge.grader.scale,
        variances=variances,
        designs=sorted(rows.values(), key=lambda row: (-row.detect, row.calls)),
        chosen=rows[picked] if picked else None,
        lines=lines_of_design(planned.study, judge, picked, costs) if picked else [],
        words=[
            *refused,
            *pair.taken,
            *words,
            *_words_on(planned, picked, costs),
            *variances.warnings,
        ],
    )


def _designs(
    variances: PairedVariances,
    costs: StudyCosts,
    judge: GradeCondition,
    now: tuple[int, int, int],
    chosen: PlannedDesign | None,
    test: Test,
) -> list[PlannedDesign]:
    """Those that no other beats, of the items that there are; that of now, and the chosen one."""
    cost, (n, k, r) = costs.cost_of(judge), now
    known = {variances.n_items, n, costs.population} - {0}
    items = sorted({*(n for n in ITEMS if n < costs.population), *known})
    [own] = plan_frontier(variances, cost, items=[n], replications=[k], repeats=[r], **test)
    kept = [own, *([chosen] if chosen else [])]
    others = plan_frontier(variances, cost, items=items, **test)
    return [*(one for one in others if not any(beats(two, one) for two in kept)), *kept]


def _now(planned: PlannedCells, costs: StudyCosts, judge: GradeCondition) -> tuple[int, int, int]:
    """The design of the YAML, by the policy that takes all items."""
    repeats = len(planned.study.design.repeats_of(judge))
    return costs.n_items, planned.study.config.facets.replications, repeats


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
    is_over: bool,
) -> str:
    is_chosen = chosen and numbers == numbers_of(chosen)
    notes = {
        "asked for": is_chosen,
        "now": numbers == now,
        "more items than there are": numbers[0] > costs.population,
        "over budget.max_usd": is_over,
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
