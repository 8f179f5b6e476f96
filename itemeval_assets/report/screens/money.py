"""What the terminal shows of money: the estimate, the spend with its savings, the preflight."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from itemeval_assets.core.design.items.changed_items import named
from itemeval_assets.core.money.providers import words_of_mocks
from itemeval_assets.core.text.words import counted, dollars

from ..render.terminal_table import show
from ..terminal import data, out, paragraph
from ..views import ESTIMATE, HEALTH, View, projected
from .models import samples

if TYPE_CHECKING:
    from itemeval_assets.core.money.preflight import ModelHealth
    from itemeval_assets.core.money.projection.estimate import Projection
    from itemeval_assets.stages.projection.estimate import StudyEstimate


def study_estimate(found: "StudyEstimate") -> None:
    """What remains to be called: per condition, in sum, against the budget, and in time."""
    out.print(
        f"[bold]{data(found.study)}[/bold]: "
        f"{counted(found.items, 'item')} x {counted(found.replications, 'replication')}, "
        f"policy {found.policy}; no model was called"
    )
    if found.changed:
        words = f"{counted(len(found.changed), 'item')} changed, and what there is of them is made"
        out.print(f"{words} again: {data(named(found.changed))}.", soft_wrap=True)
    samples(found)
    tables = {
        "solutions": found.generate,
        "rubrics by models": found.rubrics,
        "gradings by judges": found.grade,
    }
    for title, parts in tables.items():
        if parts:
            show(View(title, ESTIMATE, parts))
    mocks_are_free(part.model for part in found.parts if part.grid.usd)
    rest = found.remaining
    if found.parts:
        _remaining(found)
    else:
        out.print("What is chosen has no calls of models.")
    if found.waiting_usd:
        out.print(
            f"Of what remains, {dollars(found.waiting_usd)} at most is in batches: these answers "
            "are collected, and their calls not sent again."
        )
    reserved = ""
    if found.reserved_usd:
        reserved = f", {dollars(found.reserved_usd)} reserved by runs and batches"
    cap = "not set" if found.max_usd is None else dollars(found.max_usd)
    out.print(
        f"{dollars(found.spent_usd)} spent so far{reserved}; budget.max_usd {cap}; "
        f"consent is needed above {dollars(found.confirm_above_usd)}."
    )
    if found.wall_time_s and rest.calls > rest.cached:
        least, most = (_duration(seconds) for seconds in found.wall_time_s)
        span = least if least == most else f"{least} to {most}"
        out.print(f"It takes {span}, by the latency seen so far.")
    for warning in found.warnings:
        out.print(f"[yellow]![/yellow] {data(warning)}", soft_wrap=True)


def _remaining(found: "StudyEstimate") -> None:
    """In sum; with `precision` the items that are begun, and apart from them the whole sample."""
    first, whole = "", found.all_tranches
    if found.tranche is not None and found.tranche < found.items:
        first = f"the first {found.tranche:,} of {found.items:,} items"
    out.print(f"What remains{first and f' of {first}'}: {_projected(found.remaining)}.")
    if first and whole:
        paragraph(
            f"What remains of all {found.items:,}: {_at_most(whole)}. A run buys only as many "
            "as `precision` needs."
        )
    grid = f" and {first}" if first else ""
    out.print(f"The full grid of these conditions{grid}: {_projected(found.grid)}.")


def mocks_are_free(models: Iterable[str]) -> None:
    """Say of the dollars of mock models that nobody pays them."""
    for words in words_of_mocks(models):
        paragraph(f"{words}.")


def _projected(rest: "Projection") -> str:
    expected = ""
    if rest.expected_usd is not None and rest.calls > rest.cached:
        expected = f", {dollars(rest.expected_usd)} expected"
    return _at_most(rest) + expected


def _at_most(rest: "Projection") -> str:
    cached = f" ({rest.cached} from the response cache, free)" if rest.cached else ""
    most = projected(rest)
    return f"{rest.calls} calls{cached}, at most {most.word or dollars(most.usd)}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def preflight(found: "list[ModelHealth]") -> None:
    """A line per model: its verdict, why, and how long its answer took."""
    show(View("preflight", HEALTH, found))
    mocks_are_free(health.model for health in found if health.usd)
