"""Views of the agreement of judges, and of each judge."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .figures import interval_of
from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.measurement import Estimate
    from itemeval_assets.stages.figures.agreed import Agreement
    from itemeval_assets.stages.figures.judges import JudgeCard

__all__ = ["agreement_view", "judge_view"]


class CardLine(NamedTuple):
    """A line of a judge's card: a figure with its estimate, or a plain value."""

    figure: str
    of: str
    value: float | None
    estimate: "Estimate | None" = None
    why: str | None = None


def agreement_view(rows: "Sequence[Agreement]") -> View:
    """Figures about judges."""
    return View("agreement", _AGREEMENT, rows)


def judge_view(card: "JudgeCard") -> View:
    """All that is known of one judge."""
    unpriced = None if card.usd is not None else "A price is not known."
    rows = [
        *(
            CardLine(one.figure, one.of, one.estimate and one.estimate.value, one.estimate, one.why)
            for one in card.figures
        ),
        CardLine("replies", card.judge, card.replies),
        CardLine("USD per reply", card.judge, card.usd_per_reply, None, unpriced),
        CardLine("USD", card.judge, card.usd, None, unpriced),
    ]
    return View(f"card of {card.judge}", _CARD, rows)


def _of_estimate(name: str) -> Any:
    return lambda row: None if row.estimate is None else getattr(row.estimate, name)


def _missing_estimate(row: Any) -> str | None:
    return row.why


_AGREEMENT = (
    Column("figure", "text", "figure", "figure", "figure"),
    Column("of", "text", "of", "of", "of"),
    Column(_of_estimate("value"), "mean", "value", "value", "value"),
    Column(
        lambda row: None if row.estimate is None else interval_of(row.estimate),
        "interval",
        "interval",
        None,
        "interval",
    ),
    Column(_of_estimate("low"), "mean", None, "low"),
    Column(_of_estimate("high"), "mean", None, "high"),
    Column(_of_estimate("n_items"), "number", None, "items"),
    Column(_of_estimate("method"), "text", None, "method"),
    Column("why", "text", "why not", "why not", "why not", _missing_estimate),
)
_CARD = (
    _AGREEMENT[0],
    Column("of", "text", None, "of"),
    Column("value", "component", "value", "value", "value"),
    *_AGREEMENT[3:],
)
