"""Which graders may stand together, and how often each."""

from collections.abc import Sequence

from itemeval_assets.core.design.conditions import GradeCondition

__all__ = ["each_once", "incomparable"]


def each_once(graders: Sequence[GradeCondition]) -> Sequence[GradeCondition]:
    """The graders without further repeats of a judge; of one judge alone, all repeats."""
    first: dict[str, GradeCondition] = {}
    for one in graders:
        first.setdefault(one.first_id, one)
    return list(first.values()) if len(first) > 1 else graders


def incomparable(chosen: Sequence[GradeCondition], purpose: str = "agree") -> str | None:
    """Why the scores of graders mean different things; null where they do not."""
    if len(chosen) < 2:
        return f"One grader has none to {purpose} with."
    scales = {one.grader.scale for one in chosen}
    rubrics = {one.columns["rubric_hash"] for one in chosen}
    if len(scales) > 1 or (scales == {None} and len(rubrics) > 1):
        return (
            "These graders have no scale in common, so their scores cannot be compared: choose some"
            " with --grader, or declare graders.<name>.scale."
        )
    return None
