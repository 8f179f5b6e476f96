"""agreement: do judges agree with each other, and are they fair? From cells that exist."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.measurement import rating_matrix

from ..graders import by_scale, incomparable, scale_in_words
from ..planned import LENGTH, PlannedCells
from .agreed import PREFERENCE, Agreement, said_of
from .cards import JudgeCard, cards_of
from .of_scale import figures_of_scale
from .people import AgainstPeople, against_people, said_of_people, said_of_waves
from .repeats import said_of_cold, with_itself

__all__ = ["Agreement", "StudyAgreement", "agreement"]


@dataclass(frozen=True, kw_only=True)
class StudyAgreement:
    """How the judges of a study agree, and what may bend their scores; with a card of each.

    Judges are compared with those of their scale: `scales` has that of each. `people`: the judges
    against the raters.
    """

    study: str
    policy: str
    level: float
    cluster: str | None
    judges: list[str]
    figures: list[Agreement]
    scales: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    cards: list[JudgeCard] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    people: list[AgainstPeople] = field(default_factory=list)


def agreement(planned: PlannedCells, graders: Collection[str]) -> StudyAgreement:
    """Kappas, alpha and ICC between the chosen graders; severity, preference and length.

    Each judge counts once, by the first of its chosen repeats, and is compared with the others.
    """
    repeats: dict[str, list[GradeCondition]] = {}
    for grader in planned.study.design.grade:
        if grader.id in graders:
            repeats.setdefault(grader.first_id, []).append(grader)
    chosen = [group[0] for group in repeats.values()]
    repeated = [group for group in repeats.values() if len(group) > 1]
    of_repeats = [figure for group in repeated for figure in with_itself(planned, group)]
    groups = by_scale(chosen)
    figures: list[Agreement] = []
    cards: list[JudgeCard] = []
    for group in groups:
        cells = planned.of_graders(group, events=_events(group))
        matrix = cache(partial(rating_matrix, cells))
        found = list(figures_of_scale(planned, group, cells, matrix, _why_not(group, groups)))
        cards += cards_of(planned, group, cells, matrix, [*found, *of_repeats])
        figures += _of_scale(found, group) if len(groups) > 1 else found
    figures += of_repeats
    judges = [one for one in chosen if not one.grader.by_people]
    raters = [one for one in planned.study.design.grade if one.grader.by_people]
    people = against_people(planned, judges, raters)
    own = (figure for card in cards for figure in card.figures if figure not in figures)
    return StudyAgreement(
        study=planned.study.name,
        policy=planned.policy_name,
        level=planned.level,
        cluster=planned.cluster,
        judges=[grader.label for grader in chosen],
        scales={grader.label: grader.grader.scale for grader in chosen},
        figures=figures,
        cards=cards,
        words=[
            *_words(groups, [*figures, *own, *people]),
            *said_of_cold(repeated),
            *said_of_people(people, planned.cluster),
            *said_of_waves(planned, raters),
            *planned.about_mocks,
        ],
        people=people,
    )


def _why_not(
    group: Sequence[GradeCondition], groups: Sequence[Sequence[GradeCondition]]
) -> str | None:
    """Why the graders of one scale have none to agree with; null where they have."""
    if len(group) > 1:
        return None
    if len(groups) == 1:
        kind = group[0].grader
        who = "judge" if kind.asked else "rater" if kind.by_people else "scorer"
        return f"One {who} has none to agree with."
    if all(len(other) == 1 for other in groups):
        return incomparable([one for other in groups for one in other])
    label, scale = group[0].label, group[0].grader.scale
    if scale is None:
        return f"{label} declares no scale, and no other grader has its rubric."
    criterion = " and its criterion" if group[0].criterion else ""
    return f"No other grader has the scale of {label}, {scale_in_words(scale)}{criterion}."


def _events(group: Sequence[GradeCondition]) -> list[str]:
    """What cards need besides scores. What a scorer settled before a judge has no log."""
    has_settled = any(one.grader.after for one in group)
    return [LENGTH, "grade_usd", *(["grade_log_file"] if has_settled else [])]


def _of_scale(figures: Sequence[Agreement], group: Sequence[GradeCondition]) -> Iterator[Agreement]:
    """What is of families is told apart by the scale of their judges."""
    scale = scale_in_words(group[0].grader.scale)
    for one in figures:
        named = one.figure == PREFERENCE and one.estimate
        yield replace(one, of=f"{one.of}, scale {scale}") if named else one


def _words(
    groups: Sequence[Sequence[GradeCondition]], figures: Sequence[Agreement | AgainstPeople]
) -> Iterator[str]:
    if not groups:
        yield "The study has no judge: agreement is between graders. Name some with --grader."
    if len(groups) > 1 and any(len(group) > 1 for group in groups):
        yield "Scores of two scales cannot be compared: each figure is of the judges of one scale."
        if any(grader.criterion for group in groups for grader in group):
            yield "Nor can scores of two criteria, or of a criterion and a total."
    yield from said_of(figures)
