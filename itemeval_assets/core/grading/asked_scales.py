"""The scale that a rubric asks for in words, beside the one that its grader declares."""

import re
from collections.abc import Iterable, Iterator

from itemeval_assets.core.prompts.criteria import criteria_of
from itemeval_assets.core.prompts.templates import Template

from .grader import Grader, ScoreScale

_NUMBER = r"(-?\d+(?:\.\d+)?)"
# `Give a score from 0 to 1`, `on a scale of 1 to 5`: within one sentence.
_ASKED = re.compile(
    r"\b(?:scor\w*|grad\w*|rate|ratings?|marks?|points?|scale)\b(?:[^.!?\n]|\n(?!\n)){0,60}?"
    rf"\b(?:from|of|between)\s+{_NUMBER}\s+(?:to|and)\s+{_NUMBER}",
    re.IGNORECASE,
)


def doubts_of_scales(graders: Iterable[Grader], *, has_schemes: bool) -> Iterator[str]:
    """Where judges and raters are asked for other scores than `scale` says.

    `has_schemes`: the items have grading schemes, so that what a rubric says without one is not
    asked for. They are told and never refused: a rubric may speak of other scores.
    """
    found: dict[str, dict[str, None]] = {}
    for grader in graders:
        rubric = grader.template
        if rubric is None or grader.scale is None or criteria_of(rubric):
            continue
        if has_schemes and "{grading_scheme}" in rubric.text:
            continue
        if asked := _other_than(grader.scale, rubric):
            low, high = grader.scale
            words = f"template {rubric.name!r}: it asks for scores from {asked[0]} to {asked[1]}"
            told = f"{words}, and `scale` is [{low:g}, {high:g}] for"
            found.setdefault(told, {})[grader.name] = None
    for told, names in found.items():
        yield f"{told} {', '.join(names)}; say the same in both"


def _other_than(scale: ScoreScale, rubric: Template) -> tuple[str, str] | None:
    """The first scale of the text; null where it has none, or has that of the grader, too."""
    found = _ASKED.findall(rubric.text)
    if any((float(low), float(high)) == scale for low, high in found):
        return None
    return found[0] if found else None
