"""Which partitions of a design are meant by the words that a user selects them with.

A word is a label as tables show it, a slug, an id, the start of an id, or a name: of the model
for generate conditions, of the grader, scorer or rubric for grade conditions. What a word is
exactly goes before the start of an id, which means all ids that start so.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.nearest import nearest

from .conditions.conditions import Design
from .partitions import GENERATE, GRADE, RUBRIC, Partition, Stage

# None: nothing was said, and all are meant.
Words = str | Sequence[str] | None
# The keys of the study file that have later times.
Key = Literal["waves", "rejudges"]
_LISTED = 20


class Time(NamedTuple):
    """A wave, or a time at which judges grade again, by name."""

    key: Key
    name: str

    def has(self, design: Design, partition: Partition) -> bool:
        """Whether a partition is of this time."""
        if partition.stage is RUBRIC:
            return False
        if self.key == "waves":
            found = design.generate_by_id[partition.generate].wave
        else:
            is_graded = partition.stage is GRADE
            found = design.grade_by_id[partition.grade].rejudge if is_graded else None
        return found is not None and found.name == self.name


@dataclass(frozen=True)
class Selection:
    """The partitions that are asked for, in the order of the design.

    `is_narrowed`: only those of the named conditions that something is the matter with.
    """

    partitions: tuple[Partition, ...]
    is_narrowed: bool = False

    def of(self, stage: Stage) -> list[Partition]:
        """The partitions of one stage."""
        return [part for part in self.partitions if part.stage is stage]

    def at(self, time: Time | None, design: Design) -> "Selection":
        """Those of the partitions that are of a later time. Raises ConfigError where none is."""
        if time is None:
            return self
        kept = tuple(part for part in self.partitions if time.has(design, part))
        if not kept:
            raise ConfigError(f"{time.key}: {time.name!r} has none of the chosen conditions")
        # Rubrics are written once for all times.
        wanted = {*kept, *(design.rubric_of(part) for part in kept)}
        return replace(self, partitions=tuple(p for p in self.partitions if p in wanted))

    def within(self, others: Collection[Partition]) -> "Selection":
        """Those of the partitions that are among others, too."""
        kept = tuple(part for part in self.partitions if part in set(others))
        return replace(self, partitions=kept, is_narrowed=True)


def select(
    design: Design,
    only: str | None = None,
    conditions: "Words" = None,
    graders: "Words" = None,
    rubrics: "Words" = None,
) -> Selection:
    """The partitions that words mean; without any word, all.

    `only` is the table of one stage. Raises ConfigError where there is none, and for a word that
    selects nothing.
    """
    written = (RUBRIC,) if design.written else ()
    stages = [stage.table for stage in (GENERATE, *written, GRADE)]
    if only is not None and only not in stages:
        raise ConfigError(f"only: {only!r} is not a stage; choose {' or '.join(stages)}")
    rows = select_generate(design, conditions)
    columns = select_grade(design, graders, rubrics)
    solutions = [Partition((row,)) for row in rows]
    gradings = [
        Partition((row, column))
        for row in rows
        for column in columns
        if design.crosses(design.generate_by_id[row], design.grade_by_id[column])
    ]
    if rows and columns and not gradings:
        raise ConfigError("only the first answers are graded again, and none of those is chosen")
    wanted = {design.grade_by_id[column].grader.item_rubric for column in columns}
    rubrics_of = [Partition((one.id,)) for one in design.written if one.id in wanted]
    found = (*solutions, *rubrics_of, *gradings)
    return Selection(tuple(part for part in found if only in (None, part.stage.table)))


def with_families(design: Design, selection: Selection) -> Selection:
    """With all criteria of a rubric, and their total, where one of these is chosen: one call
    makes them all.
    """
    family = {one.id: one.total_id or one.id for one in design.grade}
    if all(id == of for id, of in family.items()):
        return selection
    chosen = {(part.generate, family[part.grade]) for part in selection.of(GRADE)}
    gradings = (Partition((row.id, column)) for row in design.generate for column in family)
    found = (part for part in gradings if (part.generate, family[part.grade]) in chosen)
    before = (*selection.of(GENERATE), *selection.of(RUBRIC))
    return replace(selection, partitions=(*before, *found))


def select_generate(design: Design, words: Words = None) -> list[str]:
    """The ids of the generate conditions, in the order of the design.

    Raises ConfigError for a word that selects nothing.
    """
    choices = [_Choice(c.id, c.label, c.slug, c.model) for c in design.generate]
    return _Selected("condition", words, choices).of(c.id for c in design.generate)


def select_grade(design: Design, graders: Words = None, rubrics: Words = None) -> list[str]:
    """The ids of the grade conditions that both kinds of words mean, in the order of the design.

    Raises ConfigError for a word that selects nothing, by itself or together with the others.
    """
    named = [
        _Choice(c.id, c.label, c.slug, c.grader.name, c.label_parts[0].short) for c in design.grade
    ]
    judged = [
        _Choice(c.id, c.label, c.slug, rubric.name, rubric.short_name)
        for c in design.grade
        if (rubric := c.grader.template)
    ]
    by_grader = _Selected("grader", graders, named)
    by_rubric = _Selected("rubric", rubrics, judged)
    chosen = by_rubric.of(by_grader.of(c.id for c in design.grade))
    by_grader.require_some_of(chosen, by_rubric)
    by_rubric.require_some_of(chosen, by_grader)
    return chosen


class _Choice(NamedTuple):
    """A condition, and what it may be called. `short_name` is looked at last."""

    id: str
    label: str
    slug: str
    name: str
    short_name: str = ""


class _Selected:
    """What each word of one option selects. Raises ConfigError for a word that selects nothing."""

    def __init__(self, option: str, words: Words, choices: Sequence[_Choice]) -> None:
        self.option = option
        self.words: dict[str, set[str]] | None = None
        if words is None:
            return
        given = listed(f"{option}s", words)
        if not given:
            raise ConfigError(f"{option}s: an empty list selects nothing; None selects all")
        self.words = {word: _meant(word, choices) for word in given}
        for word, ids in self.words.items():
            if not ids:
                raise ConfigError(_unknown(option, word, choices))

    def of(self, ids: Iterable[str]) -> list[str]:
        """Those of the ids that are selected."""
        if self.words is None:
            return list(ids)
        chosen = set().union(*self.words.values())
        return [id for id in ids if id in chosen]

    def require_some_of(self, chosen: Sequence[str], other: "_Selected") -> None:
        """Raise ConfigError for a word of which the other option leaves nothing."""
        for word, ids in (self.words or {}).items():
            if ids.isdisjoint(chosen):
                rest = " or ".join(map(repr, other.words or {}))
                raise ConfigError(
                    f"{self.option} {word!r} and {other.option} {rest} have no condition in common"
                )


def listed(name: str, words: str | Iterable[str]) -> list[str]:
    """The words of an argument: one, or some. Raises ConfigError for what is no text."""
    if isinstance(words, str):
        return [words]
    if isinstance(words, bytes) or not isinstance(words, Iterable):
        raise ConfigError(f"{name}: {words!r} is no text; give a str, or a list of them")
    found = list(words)
    for word in found:
        if not isinstance(word, str):
            raise ConfigError(f"{name}: {word!r} is no text; give a str, or a list of them")
    return found


def _meant(word: str, choices: Sequence[_Choice]) -> set[str]:
    if not word:
        return set()
    return (
        {one.id for one in choices if word in one[:4]}
        or {one.id for one in choices if word == one.short_name}
        or {one.id for one in choices if one.id.startswith(word)}
    )


def _unknown(option: str, word: str, choices: Sequence[_Choice]) -> str:
    there_are = ", ".join(dict.fromkeys(one.name for one in choices)) or "none"
    forms = [form for one in choices for form in one if form]
    near = nearest(word, forms)
    hint = f"; did you mean {near!r}?" if near else ""
    lines = [f"\n  {one.label}  ({one.id})" for one in choices[:_LISTED]]
    if len(choices) > _LISTED:
        lines.append(f"\n  and {len(choices) - _LISTED} more: see itemeval-assets status")
    return (
        f"there is no {option} {word!r} in the design{hint}; there are: {there_are}{''.join(lines)}"
    )
