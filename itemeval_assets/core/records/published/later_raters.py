"""People who rate since a plan was sealed: they change nothing that is asked of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from itemeval_assets.core.grading.kinds import is_rater


def later_raters(sealed: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The raters that a plan has now, and that the sealed one does not name."""
    known = _graders(sealed)
    return [
        name
        for name, one in _graders(now).items()
        if name not in known and isinstance(one, Mapping) and is_rater(one)
    ]


def without_raters(plan: Mapping[str, Any], raters: Sequence[str]) -> dict[str, Any]:
    """A plan as it is without some raters."""
    if not raters:
        return {**plan}
    facets = plan["facets"]
    grader = [name for name in facets["grader"] if name not in raters]
    graders = {name: one for name, one in _graders(plan).items() if name not in raters}
    return {**plan, "graders": graders, "facets": {**facets, "grader": grader}}


def _graders(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    found = plan.get("graders")
    return found if isinstance(found, Mapping) else {}
