"""Which graders may stand together, and how often each."""

from collections.abc import Sequence

from itemeval_assets.core.design.conditions.conditions import GradeCondition

__all__ = ["by_scale", "each_once", "incomparable", "meaning", "of_one_scale", "scale_in_words"]


def each_once(graders: Sequence[GradeCondition]) -> Sequence[GradeCondition]:
    """The graders without further repeats of a judge; of one judge alone, all repeats."""
    first: dict[str, GradeCondition] = {}
    for one in graders:
        first.setdefault(one.first_id, one)
    return list(first.values()) if len(first) > 1 else graders


def incomparable(chosen: Sequence[GradeCondition]) -> str | None:
    """Why the scores of graders mean different things; null where they do not."""
    if len(chosen) < 2:
        return "One grader has none to compare with."
    if len({one.criterion for one in chosen}) > 1:
        return (
            "These graders grade different criteria, so their scores cannot be compared: choose"
            " some with --grader."
        )
    if len({meaning(one) for one in chosen}) > 1:
        return (
            "These graders have no scale in common, so their scores cannot be compared: choose some"
            " with --grader, or declare graders.<name>.scale."
        )
    return None


def by_scale(chosen: Sequence[GradeCondition]) -> list[list[GradeCondition]]:
    """The graders in groups whose scores mean the same, in their order."""
    alike: dict[object, list[GradeCondition]] = {}
    for one in chosen:
        alike.setdefault(meaning(one), []).append(one)
    return list(alike.values())


def of_one_scale(
    chosen: Sequence[GradeCondition],
) -> tuple[Sequence[GradeCondition], list[str]]:
    """The most graders whose scores mean the same, the first of equally many, and who is not of it.

    All of them where no two have a scale in common.
    """
    groups = by_scale(chosen)
    most = max(groups, key=len, default=[])
    if len(most) < 2 or len(groups) == 1:
        return chosen, []
    others = ", ".join(
        f"{one.label} ({scale_in_words(one.grader.scale)})" for one in chosen if one not in most
    )
    of_what = "scale or criterion" if any(one.criterion for one in chosen) else "scale"
    return most, [f"Left out, as scores of another {of_what} cannot be compared: {others}."]


def meaning(one: GradeCondition) -> object:
    """What graders share whose scores can be compared: a scale, or else a rubric; of one that
    grades a criterion of a rubric, also this.
    """
    return one.criterion, one.grader.scale or one.columns["rubric_hash"]


def scale_in_words(scale: tuple[float, float] | None) -> str:
    """`0 to 1`."""
    return f"{scale[0]:g} to {scale[1]:g}" if scale else "scale not declared"
