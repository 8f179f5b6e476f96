"""The assets about certainty: free, made of stored rows, and brought up to date by each run."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import FIGURES, asset_key, step_name
from itemeval_assets.dagster_io.results import tell_result
from itemeval_assets.dagster_io.steps import store_of
from itemeval_assets.defs.shown.metadata import picture, view_table

from .automation import when_inputs_change

if TYPE_CHECKING:
    from itemeval_assets.report.render.document import Document
    from itemeval_assets.stages.figures.planned import PlannedCells

# Of one table: metadata lies in a database.
_MOST_ROWS = 300
_DESCRIPTIONS = {
    "scores": "The mean score of each condition, its interval, and what it leaves out.",
    "comparisons": "All pairs of conditions on the items that both have scores of: which is "
    "better, by how much, how sure. Groups that cannot be told apart share a letter.",
    "reliability": "Where the noise of the scores comes from, and what more items, replications or "
    "graders would reach.",
    "agreement": "How judges agree, how severe they are, whether they prefer their own family.",
    "item_statistics": "Difficulty and discrimination of each item; which are odd, and why.",
}


def figure_assets(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    """The five of them, made by one step: each is cheaper than a step of its own."""

    @dg.multi_asset(
        name=step_name(study, "figures"),
        specs=[
            dg.AssetSpec(
                asset_key(study, name),
                deps=[asset_key(study, "gradings_long")],
                description=_DESCRIPTIONS[name],
                automation_condition=when_inputs_change(),
                **shared,
            )
            for name in FIGURES
        ],
        can_subset=True,
    )
    def figures(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        from itemeval_assets.stages.figures.planned import PlannedCells

        with users_errors():
            store = store_of(study, context)
            planned = PlannedCells(study, store, store.read("items"))
        chosen = context.selected_asset_keys
        for name in FIGURES:
            if (key := asset_key(study, name)) in chosen:
                yield dg.MaterializeResult(key, metadata=_estimated(name, planned, context.log))

    return figures


def _estimated(name: str, planned: "PlannedCells", log: dg.DagsterLogManager) -> dict[str, Any]:
    """What the page of an asset shows: what was found, or why nothing was."""
    try:
        found = _ESTIMATES[name](planned)
        metadata = _metadata(name, found)
    except Exception as error:  # no figure is worth a failed run: the calls are paid
        reason = without_secrets(f"{type(error).__name__}: {error}", os.environ)
        log.warning(f"{name} could not be estimated: {reason}")
        return {"in words": f"could not be estimated: {reason}"}
    tell_result(name, found)
    return metadata


def _scores(planned: "PlannedCells") -> Any:
    return stages.scores.scores(planned)


def _comparisons(planned: "PlannedCells") -> Any:
    return stages.comparisons.comparisons(planned, _graders(planned))


def _reliability(planned: "PlannedCells") -> Any:
    return stages.reliability.reliability(planned, _graders(planned))


def _agreement(planned: "PlannedCells") -> Any:
    judges = [one.id for one in planned.study.design.first_graded if one.grader.asked]
    return stages.agreement.agreement(planned, judges)


def _item_statistics(planned: "PlannedCells") -> Any:
    return stages.item_statistics.item_statistics(planned, _graders(planned))


def _graders(planned: "PlannedCells") -> Sequence[str]:
    return [one.id for one in planned.study.design.first_graded]


_ESTIMATES: Mapping[str, "Callable[[PlannedCells], Any]"] = {
    "scores": _scores,
    "comparisons": _comparisons,
    "reliability": _reliability,
    "agreement": _agreement,
    "item_statistics": _item_statistics,
}


def _metadata(name: str, found: Any) -> dict[str, Any]:
    """The tables, the sentences on how to read them, and the pictures."""
    from itemeval_assets.report import figures as report

    documents = {"item_statistics": "items"}
    whole: Document = getattr(report, documents.get(name, name))(found)
    document = whole.shortened(_MOST_ROWS).split
    sentences = [block for block in document.blocks if isinstance(block, str)]
    tables: dict[str, Any] = {}
    for view in document.views:
        tables |= view_table(view) if view.rows else {}
    text = "\n".join(f"- {sentence}" for sentence in sentences)
    return {
        "in words": dg.MetadataValue.md(text),
        **tables,
        **{title: picture(title, draw) for title, draw in document.pictures.items()},
    }
