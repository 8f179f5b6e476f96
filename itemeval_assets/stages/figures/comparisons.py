"""comparisons: is one better than another, on the items that both answered?"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions import Design, GradeCondition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement import (
    Difference,
    Interaction,
    MeasurementError,
    compare_all,
    interaction,
)
from itemeval_assets.measurement import compare as compared

from .agreed import each_once, incomparable
from .planned import PlannedCells, require_measurable

__all__ = ["Compared", "StudyComparisons", "compare", "comparisons", "told", "words_of"]

_MOST_OBJECTS = 100
Facet = Literal["condition", "model", "prompt", "config", "grader", "release"]
# Of releases see the folder of that name.
COLUMNS: dict[Facet, str] = {
    "condition": "gen_condition_id",
    "model": "model",
    "prompt": "prompt_name",
    "config": "model_config_name",
    "grader": "grade_condition_id",
}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What one grader says of the objects: a family of pairs, or why there is none.

    `graded_by` is null where graders themselves are compared. `groups` are objects that cannot be
    told apart, and `letters` of an object name its groups. `left_out`: pairs that could not be
    compared, with the reason. `interaction`: whether the difference depends on an item column.
    """

    graded_by: str | None
    scale: tuple[float, float] | None
    differences: list[Difference] = field(default_factory=list)
    groups: list[list[str]] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    interaction: Interaction | None = None
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StudyComparisons:
    """Comparisons of the levels of one facet, by each grader: graders are never pooled."""

    study: str
    policy: str
    facet: Facet
    level: float
    cluster: str | None
    margin: float | None
    by_grader: list[Compared]


def comparisons(
    planned: PlannedCells,
    graders: Collection[str],
    facet: Facet = "condition",
) -> StudyComparisons:
    """All pairs of the levels of a facet, as one family for each grader."""
    chosen = _chosen(planned, graders)
    if facet == "grader":
        families = [_graders(planned, chosen)]
    else:
        families = [_family(planned, planned.of_grader(grader), grader, facet) for grader in chosen]
    return told(planned, facet, families)


def compare(
    planned: PlannedCells, a: str, b: str, graders: Collection[str], by: str | None = None
) -> StudyComparisons:
    """Two levels of one facet, by each grader; `by`: does it depend on this item column?

    Raises ConfigError where no facet has both, and MeasurementError where no grader allows it.
    """
    facet, first, other = _meant(planned.study.design, a, b)
    tags = [planned.require_column(by, "by")] if by else []
    chosen = _chosen(planned, graders)
    if facet == "grader":
        both = [one for one in planned.study.design.grade if one.label in (first, other)]
        if why := incomparable(both, "compare"):
            raise MeasurementError(why)
        cells = planned.of_graders(both, tags=tags)
        return told(planned, facet, [_pair(planned, cells, both[0], facet, first, other, by)])
    found = [
        _pair(planned, planned.of_grader(grader, tags=tags), grader, facet, first, other, by)
        for grader in chosen
    ]
    if not any(one.differences for one in found):
        raise MeasurementError(found[0].words[0])
    return told(planned, facet, found)


def _chosen(planned: PlannedCells, graders: Collection[str]) -> list[GradeCondition]:
    return [one for one in planned.study.design.grade if one.id in graders]


def told(planned: PlannedCells, facet: Facet, found: list[Compared]) -> StudyComparisons:
    """The families, and what they have in common."""
    return StudyComparisons(
        study=planned.study.name,
        policy=planned.policy_name,
        facet=facet,
        level=planned.level,
        cluster=planned.cluster,
        margin=planned.study.config.measurement.margin,
        by_grader=found,
    )


def _pair(
    planned: PlannedCells,
    cells: pa.Table,
    grader: GradeCondition,
    facet: Facet,
    a: str,
    b: str,
    by: str | None,
) -> Compared:
    label, scale = _of(grader, facet)
    known = {"cluster": planned.cluster, "scale": scale, "level": planned.level}
    column = COLUMNS[facet]
    try:
        require_measurable(cells)
        difference = compared(cells, a, b, object=column, **known)
    except MeasurementError as error:
        return Compared(graded_by=label, scale=scale, words=[str(error)])
    words, depends = [*words_of(planned, [difference])], None
    if by:
        try:
            depends = interaction(cells, a, b, by=by, object=column, **known)
            words += [depends.verdict, *depends.warnings]
        except MeasurementError as error:
            words.append(str(error).strip())
    return Compared(
        graded_by=label, scale=scale, differences=[difference], interaction=depends, words=words
    )


def _graders(planned: PlannedCells, chosen: Sequence[GradeCondition]) -> Compared:
    """All pairs of graders whose scores mean the same; a judge counts once."""
    once = each_once(chosen)
    if why := incomparable(once, "compare"):
        return Compared(graded_by=None, scale=None, words=[why])
    return _family(planned, planned.of_graders(once), once[0], "grader")


def _family(
    planned: PlannedCells, cells: pa.Table, grader: GradeCondition, facet: Facet
) -> Compared:
    label, scale = _of(grader, facet)
    try:
        require_measurable(cells)
        _require_few(cells, facet)
        found = compare_all(
            cells,
            object=COLUMNS[facet],
            cluster=planned.cluster,
            scale=scale,
            level=planned.level,
        )
    except MeasurementError as error:
        return Compared(graded_by=label, scale=scale, words=[str(error)])
    return Compared(
        graded_by=label,
        scale=scale,
        differences=list(found),
        groups=[[str(one) for one in group] for group in found.groups],
        letters={str(name): letters for name, letters in found.letters.items()},
        left_out=[(str(a), str(b), why) for a, b, why in found.left_out],
        words=[*found.warnings, *words_of(planned, found)],
    )


def _require_few(cells: pa.Table, facet: Facet) -> None:
    """Nobody reads the pairs of a thousand conditions, and Holm would call none of them."""
    n = pc.count_distinct(cells[COLUMNS[facet]]).as_py()  # type: ignore[attr-defined]
    if n > _MOST_OBJECTS:
        raise MeasurementError(
            f"{n:,} {facet}s have {n * (n - 1) // 2:,} pairs: all pairs are for up to"
            f" {_MOST_OBJECTS}. Name two, or compare another facet: --of model."
        )


def _of(grader: GradeCondition, facet: Facet) -> tuple[str | None, tuple[float, float] | None]:
    """By which grader, and its scale; where graders are compared, the scale of all."""
    return None if facet == "grader" else grader.label, grader.grader.scale


def words_of(planned: PlannedCells, found: Sequence[Difference]) -> Iterator[str]:
    """What to say besides the verdicts, each thing once, and of which pairs."""
    margin = planned.study.config.measurement.margin
    if margin is not None:
        for one in found:
            if -margin < one.low and one.high < margin:
                yield f"{one.a} and {one.b} differ by less than the margin of {margin:g}."
    about: dict[str, list[Difference]] = {}
    for one in found:
        for warning in one.warnings:
            about.setdefault(warning, []).append(one)
    for warning, pairs in about.items():
        if len(pairs) == len(found):
            yield warning
        else:
            more = f", and {len(pairs) - 1} more pairs" if len(pairs) > 1 else ""
            yield f"{warning} ({pairs[0].a} and {pairs[0].b}{more})"


def _meant(design: Design, a: str, b: str) -> tuple[Facet, str, str]:
    """The facet that has both words, and the levels that these are."""
    names = dict(_names(design))
    for facet, levels in names.items():
        first, other = _level(levels, a), _level(levels, b)
        if first is not None and other is not None:
            if first == other:
                raise ConfigError(f"{a!r} and {b!r} are the same {facet}: name two")
            return facet, first, other
    known = sorted(
        {word for levels in names.values() for words in levels.values() for word in words}
    )
    for word in (a, b):
        if not any(_level(levels, word) is not None for levels in names.values()):
            near = get_close_matches(word, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"models: {', '.join(names['model'])}"
            raise ConfigError(
                f"{word!r} is no condition, model, prompt, config or grader of the study, or means"
                f" several; {hint}"
            )
    raise ConfigError(
        f"{a!r} and {b!r} are not of one kind: name two conditions, models, prompts, configs or"
        " graders"
    )


def _names(design: Design) -> Iterator[tuple[Facet, dict[str, set[str]]]]:
    """{level: what it may be called} of each facet, the narrower words first."""
    generate = design.generate
    yield "model", {one.model: {one.model, one.model.split("/")[-1]} for one in generate}
    yield "condition", {one.label: {one.label, one.slug, one.id} for one in generate}
    yield "prompt", {one.prompt.name: {one.prompt.name, one.prompt.short_name} for one in generate}
    yield "config", {one.model_config_name: {one.model_config_name} for one in generate}
    yield "grader", {one.label: _names_of(one) for one in design.grade}


def _names_of(one: GradeCondition) -> set[str]:
    """What its repeats share means the first of them."""
    own = {one.label, one.id}
    shared = {one.slug, one.grader.name, one.label_parts[0].short}
    return own if one.grader.repeat > 1 else own | shared


def _level(levels: dict[str, set[str]], word: str) -> str | None:
    """The level that a word means; null where there is none, or more than one."""
    found = [level for level, words in levels.items() if word in words] or [
        level for level, words in levels.items() if any(one.startswith(word) for one in words)
    ]
    return found[0] if len(found) == 1 and word else None
