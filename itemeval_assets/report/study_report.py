"""The report: a study as one web page that needs nothing else."""

from collections.abc import Callable, Iterator
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from itemeval_assets.core.money.providers import is_mock
from itemeval_assets.core.money.spend import total_spend
from itemeval_assets.core.text.words import counted, dollars

from . import figures
from .cells import cell_survey
from .render.document import Document, section_of
from .render.pages.page import page
from .render.pages.sections import Section
from .views import View, spend_view
from .views.view import Column

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from itemeval_assets.core.design.study import Study
    from itemeval_assets.stages.figures.report_facts import HardestItems, ReportFacts

__all__ = ["study_report"]

# Of one table. A study has many more pairs of conditions than conditions.
_MOST_ROWS = 100
_LONGEST_QUESTION = 90
_RUNS = (
    Column("run_id", "text", page="run"),
    Column("stage", "text", page="stage"),
    Column("created_at", "text", page="begun"),
    Column("policy", "text", page="policy"),
    Column(lambda run: run.get("packages", {}).get("inspect-ai", ""), "text", page="inspect_ai"),
)


def study_report(facts: "ReportFacts") -> str:
    """The page as HTML, with its pictures in it."""
    sections = [
        section_of(figures.scores(facts.scores), "Scores", most=_MOST_ROWS),
        _estimated("Comparisons", facts.figures.comparisons, figures.comparisons),
        *(
            section_of(figures.scores(found), f"Scores by {found.by}", most=_MOST_ROWS)
            for found in facts.by
        ),
        *([_hardest(facts.hardest)] if facts.hardest else []),
        _estimated("Reliability", facts.figures.reliability, figures.reliability),
        _estimated("Judges", facts.figures.agreement, figures.agreement),
        _estimated("Odd items", facts.figures.item_statistics, figures.odd_items),
        section_of(cell_survey(facts.cells), "Cells"),
        section_of(_costs(facts), "Costs"),
        section_of(_design(facts), "Design", most=_MOST_ROWS),
        _origin(facts),
    ]
    name = facts.study.name
    return page(name, sections, study=name, words=_words(facts), totals=_totals(facts))


def _words(facts: "ReportFacts") -> Iterator[str]:
    """What was studied, in a sentence, and what a reader must know first."""
    config = facts.study.config
    design = facts.study.design
    status = facts.status
    crossed = " x ".join(
        [
            counted(len(facts.study.models), "model"),
            counted(len(config.facets.prompt), "prompt"),
            counted(len(config.facets.model_config_facet), "model config"),
        ]
    )
    yield (
        f"{crossed} answered {counted(status.items, 'item')},"
        f" {counted(status.replications, 'replication')} each;"
        f" {counted(len(design.grade), 'grade condition')} scored the answers."
    )
    for part in status.rubrics:
        writer = design.written_by_id[part.partition.condition_id]
        yield (
            f"Rubric {writer.name}: {writer.model} wrote it for {counted(part.done, 'item')}, for"
            f" {dollars(part.usd)}; {part.edited:,} of them were edited by people."
        )
    if facts.study.model_sample:
        yield f"The models are a {facts.study.model_sample}."
    if status.sample:
        yield f"The items are a {status.sample.words}."
    if status.is_partial:
        yield (
            f"Policy {status.policy}: {status.items:,} of {status.design_items:,} items and"
            f" {status.replications} of {status.design_replications} replications of the design."
        )
    yield from status.notes
    models = {*facts.study.models, *(row["model"] for row in facts.conditions if row["model"])}
    mocks = sorted(filter(is_mock, models))
    if mocks:
        yield (
            f"Mock models: {', '.join(mocks)}. Their answers are made up, and so is what they cost."
        )


def _totals(facts: "ReportFacts") -> dict[str, str]:
    """The figures of the whole study."""
    states = facts.cells.states
    covered = facts.cells.cells - states.get("not_planned", 0)
    return {
        "generate conditions": f"{len(facts.study.design.generate):,}",
        "grade conditions": f"{len(facts.study.design.grade):,}",
        "items": f"{facts.status.items:,}",
        "cells with a score": f"{states.get('done', 0):,} of {covered:,}",
        "spent": dollars(total_spend(facts.costs.per_model).usd),
    }


def _estimated(title: str, found: Any, document: Callable[[Any], Document]) -> Section:
    """A figure, or why there is none."""
    if isinstance(found, str):
        return Section(title=title, blocks=[f"{title} {found}."])
    return section_of(document(found), title, most=_MOST_ROWS)


def _hardest(found: "HardestItems") -> Section:
    """The items with the lowest mean scores; each opens its answers."""
    parts = [
        section_of(
            figures.item_answers([item]),
            f"score {mean:.3g} · {item.item_id} · {shorten(item.question, _LONGEST_QUESTION)}",
            most=_MOST_ROWS,
        )
        for mean, item in zip(found.mean_scores, found.items, strict=True)
    ]
    words = (
        f"The items with the lowest mean scores by {found.graded_by}, over all conditions: the mean"
        " score, the item and its question, which opens the answers. Items with the best score in"
        " all cells are left out. An item is hard for many"
        " reasons: a wrong key is one of them."
    )
    return Section(title="Hardest items", blocks=[words], folded=parts)


def _costs(facts: "ReportFacts") -> Document:
    """Spend per model, per condition and per day."""
    spend = spend_view(facts.costs.per_model)
    paid = any(usd for stages in facts.costs.per_condition.values() for usd in stages.values())
    pictures = {"USD per condition": lambda: _bars(facts)} if paid else {}
    total = dollars(total_spend(facts.costs.per_model).usd)
    words = f"All calls of the study cost {total}, those whose rows were replaced among them."
    return Document("Costs", [spend, words], pictures)


def _bars(facts: "ReportFacts") -> "Figure":
    """Late: a page without costs draws none."""
    from .plots.costs import bars_per_condition

    return bars_per_condition(facts.costs.per_condition)


def _design(facts: "ReportFacts") -> Document:
    """The conditions with all their parts."""
    return Document("Design", list(figures.conditions(facts.conditions).views))


def _origin(facts: "ReportFacts") -> Section:
    """What the figures are made of, and how to make them again."""
    study = facts.study
    words = [
        f"Made {facts.made_at} with itemeval_assets {facts.package_version}, from"
        f" `{study.location}` and the config with sha256 `{study.config_sha256}`.",
        "Each score has a row in `export/gradings_long.parquet`, which names its `.eval` log, its"
        " run, its cost and the hashes of its templates.",
    ]
    runs = View("runs", _RUNS, facts.manifests)
    shown = section_of(Document("Origin", [*words, runs]), "Origin", most=_MOST_ROWS)
    return Section(title=shown.title, blocks=shown.blocks, folded=list(_inputs(study)))


def _inputs(study: "Study") -> Iterator[Section]:
    """The study file and its templates as they are; secrets are left out."""
    yield Section(title="study.yaml, with every default", text=study.config.public_yaml)
    for kind, templates in {
        "prompt": [one.prompt for one in study.design.generate],
        "rubric": study.design.rubrics,
    }.items():
        for template in {one.hash: one for one in templates}.values():
            title = f"{kind} {template.short_name}, {template.hash}"
            yield Section(title=title, text=template.public_text)
