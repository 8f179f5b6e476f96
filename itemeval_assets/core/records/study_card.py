"""STUDY_CARD.md: what a stranger must know about a release to use and to question it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itemeval_assets.core.config.sections import StudyConfig
from itemeval_assets.core.money.spend import Spend, total_spend

from .summaries import Graded, left_out_words

__all__ = ["CardFacts", "result_row", "study_card"]


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What the card is made of.

    `results` has a `result_row` for each generate x grade condition; `manifests` are those of the
    runs behind the rows, oldest first; `others_usd` is what conditions have cost that are not in
    the design any more.
    """

    version: str
    experiment_id: str
    released_at: str
    config: StudyConfig
    config_sha256: str
    cells: int
    missing: int
    items: Mapping[str, int]
    results: Sequence[Sequence[str]]
    spend: Sequence[Spend]
    manifests: Sequence[Mapping[str, Any]]
    frames: Mapping[str, int]
    package_version: str
    others_usd: float = 0.0


def study_card(facts: CardFacts) -> str:
    """The card as Markdown."""
    sections = (_head, _design, _execution, _results, _costs, _files, _reproduction)
    return "\n\n".join("\n".join(section(facts)) for section in sections) + "\n"


def result_row(generate: str, grade: str, graded: Graded) -> tuple[str, ...]:
    """What came of one generate x grade condition, as the card shows it."""
    shown = "none" if graded.mean is None else f"{graded.mean:.4g}"
    left_out = left_out_words(graded.left_out)
    return generate, grade, f"{graded.cells:,}", shown, f"{graded.scored:,}", left_out


def _head(facts: CardFacts) -> Iterable[str]:
    yield f"# {facts.config.study} {facts.version}"
    yield ""
    yield f"Published {facts.released_at} as `{facts.experiment_id}`."
    events = facts.frames["scalars"]
    yield f"{events:,} grading events, one row each; {facts.cells:,} cells in the design."
    if facts.missing:
        yield ""
        yield (
            f"**{facts.missing:,} cells lack a sound grading event**: the frame `errors` lists "
            "them, with the reason."
        )


def _design(facts: CardFacts) -> Iterable[str]:
    config = facts.config
    facets = config.facets
    yield "## Design"
    yield ""
    yield f"- Items: {', '.join(f'{count:,} of `{name}`' for name, count in facts.items.items())}"
    yield f"- Models: {_names(config.solvers.models)}"
    yield f"- Prompts: {_names(facets.prompt)}"
    yield f"- Model configs: {_names(found.name for found in facets.model_config_facet)}"
    judges = [_with_models(name, config.grader(name).models.values()) for name in facets.grader]
    yield f"- Judges: {_names(judges)}; rubrics: {_names(facets.rubric if judges else [])}"
    yield f"- Scorers: {_names(facets.scorers)}"
    yield f"- Replications: {facets.replications}"


def _with_models(grader: str, models: Collection[str]) -> str:
    return f"{grader} ({', '.join(models)})" if models else grader


def _execution(facts: CardFacts) -> Iterable[str]:
    yield "## Execution"
    yield ""
    yield f"Made with itemeval_assets {facts.package_version}, from the config with sha256"
    yield f"`{facts.config_sha256}`."
    yield ""
    yield from _table(
        ("run", "stage", "begun", "policy", "inspect_ai"),
        (
            (
                f"`{found['run_id']}`",
                found["stage"],
                found["created_at"],
                found["policy"],
                found.get("packages", {}).get("inspect-ai", ""),
            )
            for found in facts.manifests
        ),
    )


def _results(facts: CardFacts) -> Iterable[str]:
    yield "## Results"
    yield ""
    yield "Descriptive only: plain means over the cells with a score, without a model of items,"
    yield "judges or sampling, and without uncertainty. What a mean leaves out stands beside it,"
    yield "and may differ between conditions. Analyse `gradings_long` to compare them."
    yield ""
    yield from _table(
        ("condition", "graded by", "cells", "mean score", "scored", "left out"),
        facts.results,
    )


def _costs(facts: CardFacts) -> Iterable[str]:
    yield "## Costs"
    yield ""
    yield "All calls of the study until this release, those whose rows were replaced among them."
    if facts.others_usd:
        yield f"{facts.others_usd:.4f} USD of it for conditions that the design no longer has: the"
        yield "frame `ledger` leaves them out."
    yield ""
    rows = [(found.model, found) for found in facts.spend]
    if len(rows) > 1:
        rows.append(("total", total_spend(facts.spend)))
    yield from _table(
        ("model", "calls", "from the response cache", "USD", "calls without a known price"),
        (
            (name, f"{found.calls:,}", found.cached, f"{found.usd:.4f}", found.unpriced_calls)
            for name, found in rows
        ),
    )


def _files(facts: CardFacts) -> Iterable[str]:
    yield "## Files"
    yield ""
    yield from _table(
        ("frame", "rows"),
        ((f"`final/{name}.pq`", f"{rows:,}") for name, rows in facts.frames.items()),
    )
    yield ""
    yield "`scalars` has the design as its index; `result_file_refs` names the `.eval` log of each"
    yield "call, below `results/`; `manifests/` has what each run was made with; `specs.pq` lists"
    yield "the cells of the design. `pandas.read_parquet` reads each frame."


def _reproduction(facts: CardFacts) -> Iterable[str]:
    yield "## How to reproduce"
    yield ""
    yield "`artifacts/` has the study file, prompts and rubrics as they were; put them back as the"
    yield "study file names them, with the data of the revisions in `specs.pq`, and run, with"
    yield f"itemeval_assets {facts.package_version},"
    yield ""
    yield "```sh"
    yield "itemeval-assets estimate study.yaml"
    yield "itemeval-assets run study.yaml"
    yield "```"
    yield ""
    yield "Hosted models change, and sampling is random where no seed is kept: expect the same"
    yield "conditions and cells, and rows that differ."


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterable[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(str(value).replace("|", "\\|") for value in row) + " |"
