"""What to say beside differences: what they leave out, what margin they keep, what is odd."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from itemeval_assets.core.records.summaries import MANY
from itemeval_assets.measurement import Difference, Interaction, holm, within_margin

from ..planned import PlannedCells

__all__ = ["about_points", "bounded", "in_points", "misses_many", "words_of", "words_of_levels"]

_SHOWN = 5


def misses_many(one: Difference) -> bool:
    """Whether so many planned cells have no score that these could change the difference."""
    return one.n_missing > MANY * (one.n_missing + one.n_events)


def bounded(one: Difference) -> Difference:
    """The difference, with bounds only where it leaves many cells out."""
    return one if misses_many(one) else replace(one, bounds=None)


def words_of(
    planned: PlannedCells, found: Sequence[Difference], scale: tuple[float, float] | None
) -> Iterator[str]:
    """What to say besides the verdicts, each thing once, and of which pairs."""
    yield from _of_margin(planned, found, scale)
    yield from _of_missing(found, scale)
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


def words_of_levels(found: Interaction) -> Iterator[str]:
    """What is odd about levels: each kind of warning once, with the number of levels."""
    yield from found.warnings
    if found.left_out:
        reason = next(iter(found.left_out.values()))
        yield f"Not compared: {_listed([*found.left_out])}. {reason}"
    few = {name: one for name, one in found.levels.items() if _has_few(one)}
    if few:
        low, high = (end(one.n_clusters for one in few.values()) for end in (min, max))
        alone = all(one.n_clusters == one.n_items for one in few.values())
        have = "has" if len(few) == 1 else "have"
        what = "items" if alone else "independent clusters"
        yield (
            f"{len(few):,} of {len(found.levels):,} levels {have} only"
            f" {low if low == high else f'{low} to {high}'} {what}: their intervals"
            " can be too narrow."
        )
    about: dict[str, list[object]] = {}
    for name, one in found.levels.items():
        for warning in one.warnings:
            if not warning.startswith("Only "):
                about.setdefault(warning, []).append(name)
    yield from (f"{warning} ({_listed(names)})" for warning, names in about.items())


def _has_few(one: Difference) -> bool:
    return any(warning.startswith("Only ") for warning in one.warnings)


def _listed(names: Sequence[object]) -> str:
    more = f", and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(map(str, names[:_SHOWN]))}{more}"


def _of_margin(
    planned: PlannedCells, found: Sequence[Difference], scale: tuple[float, float] | None
) -> Iterator[str]:
    """Which pairs differ by less than the margin; of several pairs, by Holm."""
    margin = planned.study.config.measurement.margin
    if margin is None or not found:
        return
    if scale and margin >= scale[1] - scale[0]:
        yield (
            f"measurement.margin is {margin:g}, and the scale is {scale[0]:g} to {scale[1]:g}: it"
            " says nothing of these scores."
        )
        return
    p = holm(np.array([within_margin(one, margin, scale) for one in found]))
    alike = [one for one, each in zip(found, p, strict=True) if each < 1 - planned.level]
    if alike:
        several = f", Holm over {len(found):,} pairs" if len(found) > 1 else ""
        pairs = _listed([f"{one.a} and {one.b}" for one in alike])
        yield (
            f"{pairs}: the difference is smaller than the margin of {in_points(margin, scale)} (at"
            f" {100 * planned.level:g} %{several})."
        )


def in_points(amount: float, scale: tuple[float, float] | None) -> str:
    """A difference that was given, in the unit that differences are told in."""
    return f"{100 * amount:g} points" if scale == (0.0, 1.0) else f"{amount:g}"


def about_points(amount: float, scale: tuple[float, float] | None) -> str:
    """As `in_points`, of a difference that was estimated."""
    return f"{100 * amount + 0.0:.1f} points" if scale == (0.0, 1.0) else f"{amount + 0.0:.3g}"


def _of_missing(found: Sequence[Difference], scale: tuple[float, float] | None) -> Iterator[str]:
    many = [one for one in found if misses_many(one)]
    if not many:
        return
    what = (
        "The difference leaves"
        if len(found) == 1
        else f"{len(many)} of {len(found)} pairs {'leaves' if len(many) == 1 else 'leave'}"
    )
    left = f"{what} out more than {100 * MANY:g} % of the cells"
    if len(found) == 1 and many[0].bounds:
        low, high = many[0].bounds
        left += f" ({many[0].n_missing:,} without a score)"
        yield (
            f"{left}: it would be {low:.3g} if those of {many[0].a} had the worst and those of"
            f" {many[0].b} the best score, and {high:.3g} the other way round."
        )
    elif scale:
        yield (
            f"{left}. Bounds are the differences if those of the one had the worst and those of the"
            " other the best score, and the other way round."
        )
    else:
        yield (
            f"{left}. No bounds: no scale is declared. Write it as graders.<name>.scale, as the"
            " rubric has it."
        )
