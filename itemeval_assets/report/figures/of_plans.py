"""The document of a plan."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from itemeval_assets.core.text.words import counted, dollars
from itemeval_assets.report.render.document import Document
from itemeval_assets.report.views import View, pilot_view, plan_view

from .wording import by_grader, plots, rows_by_grader, scale_sentence

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.plans.records import (
        GraderPlan,
        Pilot,
        PlanRow,
        StudyPlan,
    )

__all__ = ["plan"]


def plan(found: "StudyPlan") -> Document:
    """The designs by each grader with what was asked for, or the pilot."""
    title = f"Plan of {found.study}"
    if found.pilot:
        pilot = list(_pilot(found.pilot))
        return Document(title, [*pilot, *found.notes], table=pilot_view(found.pilot))
    known = [one for one in found.by_grader if one.designs]
    views = {
        one.graded_by: plan_view(one.designs, f"designs, by {one.graded_by}", one.scale)
        for one in known
    }
    blocks = [*(block for one in found.by_grader for block in _of(one, views)), _reading(found)]
    drawn = {"designs": lambda: plots().plan_curves(known)} if known else {}
    return Document(title, [*found.notes, *blocks], drawn, rows_by_grader(views))


def _of(one: "GraderPlan", views: dict[str, View]) -> Iterator[str | View]:
    if one.graded_by in views:
        yield views[one.graded_by]
    chosen = [_sentence(one.chosen, one.scale)] if one.chosen else []
    yield by_grader(one.graded_by, [*chosen, scale_sentence(one.scale), *one.words])
    if one.chosen and one.lines:
        yield f"Set these keys of the study, by {one.graded_by}:"
        yield "\n".join(one.lines)


def _sentence(row: "PlanRow", scale: tuple[float, float] | None) -> str:
    """What the design that was asked for is, finds and costs."""
    repeats = f" x {counted(row.repeats, 'judge repeat')}" if row.repeats > 1 else ""
    design = f"{counted(row.items, 'item')} x {counted(row.replications, 'replication')}{repeats}"
    smallest = f"{100 * row.detect:.1f} points" if scale == (0.0, 1.0) else f"{row.detect:.3g}"
    return (
        f"{design} find differences of {smallest} or more, with {counted(row.calls, 'call')} to"
        f" make, for {_usd(row.usd, row.at_most_usd)}."
    )


def _reading(found: "StudyPlan") -> str:
    return (
        f"Of {found.of}, tested alone at {100 * (1 - found.alpha):g} %: a true difference as large"
        f" as the smallest is called in {100 * found.power:g} % of such studies. Calls and USD are"
        " those of all conditions and graders, beyond what is stored; USD are expected, by the"
        " calls so far, and at most where there are none. Of designs that cost the same only the"
        " sharpest is shown. It takes items to come for items like these."
    )


def _pilot(pilot: "Pilot") -> Iterator[str]:
    yield (
        f"A pilot of the first {counted(pilot.items, 'item')} x"
        f" {counted(pilot.replications, 'replication')} makes {counted(pilot.calls, 'call')}, for"
        f" {_usd(pilot.usd, pilot.at_most_usd)}. The study keeps its answers: nothing of it is paid"
        " again."
    )
    yield "Set these keys of the study:"
    yield "\n".join(pilot.lines)
    yield "Then run it, and plan with what it found:"
    yield "\n".join(pilot.commands)


def _usd(usd: float | None, at_most: float | None) -> str:
    if usd is None or at_most is None:
        return "an unknown price"
    return f"at most {dollars(at_most)}" + (f" ({dollars(usd)} expected)" if usd != at_most else "")
