"""Which levels of which facet two words of a user mean."""

from collections.abc import Iterator, Mapping
from typing import Literal

from itemeval_assets.core.design.conditions.conditions import Design, GradeCondition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.nearest import nearest

__all__ = ["Facet", "meant", "names_of"]

Facet = Literal["condition", "model", "prompt", "config", "grader", "release"]
_Names = Mapping[Facet, Mapping[str, set[str]]]


def meant(design: Design, a: str, b: str) -> tuple[Facet, str, str, list[str]]:
    """The facet that has both words, the levels that these are, and what was taken for a start.

    A name in full means nothing else. The start of one counts where it starts names of one kind
    only; all conditions of a model start as it does.
    """
    names = names_of(design)
    first, other = _found(names, a), _found(names, b)
    for facet in names:
        if facet in first and facet in other:
            if first[facet] == other[facet]:
                raise ConfigError(f"{a!r} and {b!r} are the same {facet}: name two")
            levels = first[facet], other[facet]
            return facet, *levels, list(_taken(names, facet, (a, b), levels))
    for word, found in ((a, first), (b, other)):
        if not found:
            raise ConfigError(_unknown(names, word))
    raise ConfigError(
        f"{a!r} and {b!r} are not of one kind: name two conditions, models, prompts, configs or"
        " graders"
    )


def _found(names: _Names, word: str) -> dict[Facet, str]:
    """{facet: level} that a word means."""
    exact: dict[Facet, list[str]] = {
        facet: _levels(levels, word, in_full=True) for facet, levels in names.items()
    }
    if any(exact.values()):
        return {facet: levels[0] for facet, levels in exact.items() if len(levels) == 1}
    starts: dict[Facet, list[str]] = {
        facet: _levels(levels, word) for facet, levels in names.items()
    }
    kinds = {facet for facet, levels in starts.items() if levels}
    if len(kinds - ({"condition"} if "model" in kinds else set())) > 1:
        listed = ", ".join(f"{facet} {starts[facet][0]}" for facet in names if facet in kinds)
        raise ConfigError(f"{word!r} starts names of several kinds ({listed}): write it in full")
    return {facet: levels[0] for facet, levels in starts.items() if len(levels) == 1}


def _levels(levels: Mapping[str, set[str]], word: str, *, in_full: bool = False) -> list[str]:
    def is_it(name: str) -> bool:
        return name == word if in_full else bool(word) and name.startswith(word)

    return [level for level, known in levels.items() if any(map(is_it, known))]


def _taken(
    names: _Names, facet: Facet, words: tuple[str, str], levels: tuple[str, str]
) -> Iterator[str]:
    for word, level in zip(words, levels, strict=True):
        if word not in names[facet][level]:
            yield f"{word!r} was taken for the {facet} {level}."


def _unknown(names: _Names, word: str) -> str:
    known = sorted(
        {name for levels in names.values() for words in levels.values() for name in words}
    )
    near = nearest(word, known)
    hint = f"did you mean {near!r}?" if near else f"models: {', '.join(names['model'])}"
    return (
        f"{word!r} is no condition, model, prompt, config or grader of the study, or means several;"
        f" {hint}"
    )


def names_of(design: Design) -> _Names:
    """{facet: {level: what it may be called}}."""
    return dict(_names(design))


def _names(design: Design) -> Iterator[tuple[Facet, dict[str, set[str]]]]:
    """{level: what it may be called} of each facet, the narrower words first."""
    generate = design.generate
    yield "model", {one.model: {one.model, one.model.split("/")[-1]} for one in generate}
    yield "condition", {one.label: {one.label, one.slug, one.id} for one in generate}
    yield "prompt", {one.prompt.name: {one.prompt.name, one.prompt.short_name} for one in generate}
    yield "config", {one.model_config_name: {one.model_config_name} for one in generate}
    yield "grader", {one.label: _names_of(one) for one in design.grade}


def _names_of(one: GradeCondition) -> set[str]:
    """What its repeats share means the first of them, also where it grades again later.

    What criteria share means their total.
    """
    own = {one.label, one.id}
    if one.rejudge:
        return {*own, one.slug}
    if one.grader.repeat > 1:
        return own
    shared = set() if one.criterion else {one.grader.name, one.label_parts[0].short}
    return {*own, one.slug, *shared}
