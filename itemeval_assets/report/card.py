"""README.md of a release: what a stranger must know to use it and to question it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.money.spend import Spend
from itemeval_assets.core.records.published.hub_card import hub_head

from .figures import agreement, comparisons, odd_items, reliability, scores
from .render.document import Document
from .render.markdown import rendered
from .views import spend_view

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.comparisons.records import StudyComparisons
    from itemeval_assets.stages.figures.items.item_statistics import StudyItems
    from itemeval_assets.stages.figures.judges.agreement import StudyAgreement
    from itemeval_assets.stages.figures.reliability import StudyReliability
    from itemeval_assets.stages.figures.scores.records import StudyScores

# Of one table. A study has many more pairs of conditions than conditions.
_MOST_ROWS = 300


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What the card is made of.

    `scores` has what came of each generate x grade condition, `comparisons` all pairs. A figure
    that is a text could not be estimated, and this is why. `manifests` are those of the runs behind
    the rows, oldest first; `others_usd` is what conditions have cost that are not in the design any
    more. `seal`: what was sealed, when, and what deviates from it; empty: nothing was. `stopping`:
    how the number of items was chosen by looking; empty: it was fixed before.
    """

    version: str
    experiment_id: str
    released_at: str
    config: StudyConfig
    config_sha256: str
    models: Sequence[str]
    model_sample: str | None
    cells: int
    missing: int
    items: Mapping[str, int]
    scores: "StudyScores"
    comparisons: "StudyComparisons | str"
    reliability: "StudyReliability | str"
    agreement: "StudyAgreement | str"
    item_statistics: "StudyItems | str"
    spend: Sequence[Spend]
    manifests: Sequence[Mapping[str, Any]]
    frames: Mapping[str, int]
    package_version: str
    others_usd: float = 0.0
    seal: Sequence[str] = ()
    stopping: str = ""


def study_card(facts: CardFacts) -> str:
    """The card as Markdown. By its head the Hugging Face Hub reads the tables below `data/`."""
    config = facts.config
    return rendered(
        "study_card.md",
        head=yaml.safe_dump(
            hub_head(f"{config.study} {facts.version}", facts.frames), sort_keys=False
        ),
        facts=facts,
        config=config,
        facets=config.facets,
        judges=[_judge(name, config.grader(name).models.values()) for name in config.facets.grader],
        results=_blocks(scores(facts.scores)),
        comparisons=_of(facts.comparisons, comparisons),
        reliability=_of(facts.reliability, reliability),
        agreement=_of(facts.agreement, agreement),
        odd_items=_of(facts.item_statistics, odd_items),
        spend=spend_view(facts.spend),
    )


def _of(found: Any, document: Callable[[Any], Document]) -> list[dict[str, Any]]:
    """A figure, or why there is none."""
    return [{"words": found, "view": None}] if isinstance(found, str) else _blocks(document(found))


def _blocks(document: Document) -> list[dict[str, Any]]:
    """Sentences and tables that have rows, as a template tells them apart.

    A table has a title where there are several, and where it is that of a grader.
    """
    names = {view.title for view in document.views}
    parts = document.shortened(_MOST_ROWS).split
    several = sum(bool(view.rows) for view in parts.views) > 1
    found: list[dict[str, Any]] = []
    for block in parts.blocks:
        if isinstance(block, str):
            found.append({"words": block, "view": None})
        elif block.rows:
            if several or block.title not in names:
                found.append({"words": f"**{block.title}**", "view": None})
            found.append({"words": "", "view": block})
    return found


def _judge(name: str, models: Collection[str]) -> str:
    return f"{name} ({', '.join(models)})" if models else name
