"""Waves: each name once, and a judge to grade again."""

from collections import Counter

from ..sections import StudySections

__all__ = ["wave_problems"]


def wave_problems(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    return [*_repeated_names(config), *_nobody_grades_again(config)]


def _repeated_names(config: StudySections) -> list[str]:
    lists = {"waves": config.waves, "rejudges": config.rejudges}
    return [
        f"{path}: {name!r} is listed twice; each entry must be unique"
        for path, entries in lists.items()
        for name, count in Counter(one.name for one in entries).items()
        if count > 1
    ]


def _nobody_grades_again(config: StudySections) -> list[str]:
    graders = config.graders
    has_judge = any(name not in graders or graders[name].models for name in config.facets.grader)
    if has_judge or not config.rejudges:
        return []
    return [
        "rejudges: the study has no judge that could grade again. Scorers are free, and say of the "
        "same answer what they said before. Name a judge in facets.grader, or remove `rejudges`"
    ]
