"""The asset about the results: how a study came out so far, as a table and pictures."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.steps import store_of
from itemeval_assets.defs.shown.metadata import picture, view_table

from .automation import when_inputs_change

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from itemeval_assets.stages.views.results import Results


def results_asset(study: Study, shared: dict[str, Any]) -> Any:
    """What the study found, of the conditions that its YAML has now."""

    @dg.asset(
        key=asset_key(study, "results"),
        deps=[asset_key(study, "gradings_long")],
        description="What came of the calls so far: cells without a score, scores by item, replies "
        "that could not be parsed, cost and latency. The asset `scores` has the means.",
        automation_condition=when_inputs_change(),
        **shared,
    )
    def results(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with users_errors():
            store = store_of(study, context, only_shows=True)
            found = stages.results.results(study, store)
        graded = found.per_pair.values()
        total = sum((Counter(part.left_out) for part in graded), Counter[str]())
        return dg.MaterializeResult(
            metadata={
                "cells": sum(part.cells for part in graded),
                "left out of the means": left_out_words(total),
                **_table(found),
                **{name: picture(name, draw) for name, draw in _pictures(found)},
            }
        )

    return results


def _table(found: "Results") -> dict[str, Any]:
    from itemeval_assets.report.views import SCORED, View

    rows = [
        {
            "condition": condition,
            "graded_by": graded_by,
            "cells": graded.cells,
            "scored": graded.scored,
            "settled": found.settled.get((condition, graded_by), 0),
            "left_out": graded.left_out,
        }
        for (condition, graded_by), graded in found.per_pair.items()
    ]
    return view_table(View("conditions", SCORED, rows))


def _pictures(found: "Results") -> "Iterator[tuple[str, Callable[[], Figure]]]":
    """The pictures for which there is something to show."""
    from itemeval_assets.report.plots.heat_map import score_by_item
    from itemeval_assets.report.plots.results import (
        cost_and_latency,
        parse_failures,
        score_distribution,
    )

    if any(graded.scored for graded in found.per_grader.values()):
        yield "score distribution", lambda: score_distribution(found.per_grader)
        yield "score by item", lambda: score_by_item(found.items)
    if any(graded.returned for graded in found.per_grader.values()):
        yield "unparsed", lambda: parse_failures(found.per_grader)
    if any(found.calls.values()):
        yield "cost and latency", lambda: cost_and_latency(found.calls)
