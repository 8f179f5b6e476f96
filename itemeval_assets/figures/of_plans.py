"""What certainty costs, before it is bought."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.measurement.arguments import checked_as

from .opening import graders_of, notes_of, planned_cells

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.plans.records import StudyPlan

__all__ = ["plan"]


@checked_as(ConfigError)
def plan(
    config: str | Path | Study,
    a: str | None = None,
    b: str | None = None,
    *,
    detect: float | None = None,
    max_usd: float | None = None,
    power: float = 0.8,
    pilot: int | None = None,
    omega2: float | None = None,
    sigma2: float | None = None,
    judge2: float | None = None,
    graders: Words = None,
    rubrics: Words = None,
    policy: str | None = None,
) -> "StudyPlan":
    """Which design finds which difference of two conditions, and what it costs. Makes no call.

    `detect`: the cheapest design that finds this difference, in units of the score; `max_usd`: the
    sharpest that so many USD buy, beyond what is stored; neither: the designs beside each other.
    Variances are those of the stored rows of a and b, of all pairs without them, or stated:
    `omega2` of a difference over items, `sigma2` of the answers to one item, `judge2` of a judge's
    repeats on one answer. `pilot`: which cells to run first where nothing is known, and their
    cost. Raises MeasurementError where too little is known, or nothing reaches what is asked for.
    """
    from itemeval_assets.stages.figures.plans.plan import Asked, full_policy
    from itemeval_assets.stages.figures.plans.plan import plan as planned_as

    _require(detect, max_usd, a, b)
    planned = planned_cells(config, policy)
    planned = replace(planned, policy=full_policy(planned))
    given = {"omega2": omega2, "sigma2": sigma2, "judge2": judge2}
    stated = {name: value for name, value in given.items() if value is not None}
    if pilot is not None:
        _refuse_beside_a_pilot({"detect": detect, "max_usd": max_usd, **stated})
    if stated and omega2 is None:
        raise ConfigError(f"{', '.join(stated)}: state omega2, too: the variance over items")
    if not stated and pilot is None and not planned.is_graded:
        raise StoreError(
            f"study {planned.study.name}: nothing is graded yet, so no variance is known: look at a"
            " pilot (--pilot 30), or state variances (--omega2 0.2 --sigma2 0.1)"
        )
    asked = Asked(detect=detect, max_usd=max_usd, power=power, pilot=pilot, stated=stated)
    found = planned_as(planned, graders_of(planned, graders, rubrics), asked, a, b)
    target = [] if pilot else _words_on_precision(planned.study)
    notes = [*target, *notes_of(planned), *planned.about_mocks, *found.notes]
    return replace(found, notes=notes)


def _words_on_precision(study: Study) -> list[str]:
    """A plan is of whole designs; a run with `precision` may buy a part of one."""
    asked = study.config.precision
    if asked is None:
        return []
    return [
        f"With `precision` a run ends once its {asked.key} of {asked.target:g} is reached, be it"
        " before all items of a design are bought: then it makes fewer calls than are shown here."
        " Remove `precision` to buy a design as a whole."
    ]


def _refuse_beside_a_pilot(asked: dict[str, float | None]) -> None:
    given = [name for name, value in asked.items() if value is not None]
    if given:
        raise ConfigError(
            f"pilot: it is what runs before a plan; leave out {', '.join(given)}, or pilot"
        )


def _require(detect: float | None, max_usd: float | None, a: str | None, b: str | None) -> None:
    if detect is not None and detect <= 0:
        raise ConfigError(f"detect: {detect:g} is no difference to find; give one above 0")
    if max_usd is not None and max_usd <= 0:
        raise ConfigError(f"max_usd: {max_usd:g} buys nothing; give an amount above 0")
    if (a is None) != (b is None):
        raise ConfigError(f"{a or b}: name what it is compared with, too, or neither")
