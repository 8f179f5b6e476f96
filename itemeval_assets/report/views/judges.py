"""Views of the agreement of judges, and of each judge."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from itemeval_assets.core.text.words import dollars

from .figures import interval_of
from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.measurement import Estimate
    from itemeval_assets.stages.figures.judges.agreed import Agreement
    from itemeval_assets.stages.figures.judges.cards import JudgeCard
    from itemeval_assets.stages.figures.judges.people import AgainstPeople

__all__ = ["agreement_view", "judge_view"]


class Line(NamedTuple):
    """A figure about judges with its estimate, or a plain value in words."""

    figure: str
    of: str
    value: float | None
    words: str | None = None
    scale: tuple[float, float] | None = None
    estimate: "Estimate | None" = None
    why: str | None = None


def agreement_view(rows: "Sequence[Agreement]", judges: Sequence[str] = ()) -> View:
    """Figures about judges that have an estimate; those about all of them say so."""
    everybody = ", ".join(judges)
    lines = [_line(one) for one in rows if one.estimate]
    return View(
        "agreement",
        _AGREEMENT,
        [
            line._replace(of="all judges") if len(judges) > 1 and line.of == everybody else line
            for line in lines
        ],
    )


def judge_view(card: "JudgeCard") -> View:
    """All that is known of one judge."""
    known = [line for line in _card_lines(card) if line.estimate or line.value is not None]
    return View(f"card of {card.judge}", _CARD, known)


def without_estimate(figures: "Sequence[Agreement]") -> Iterator[str]:
    """Why there are no estimates: each reason once."""
    about: dict[str, list[str]] = {}
    for one in figures:
        if one.why:
            about.setdefault(one.why, []).append(one.figure)
    for why, names in about.items():
        yield f"No {', '.join(dict.fromkeys(names))}: {why}"


def _card_lines(card: "JudgeCard") -> list[Line]:
    without_price = "A price is not known." if card.replies else "It has given no reply."
    unpriced = None if card.usd is not None else without_price
    return [
        *(_line(one, card.scale) for one in card.figures),
        Line("replies", card.judge, card.replies, f"{card.replies:,}"),
        *(
            Line(name, card.judge, usd, "-" if usd is None else dollars(usd), why=unpriced)
            for name, usd in (("USD per reply", card.usd_per_reply), ("USD", card.usd))
        ),
    ]


def judges_view(
    cards: "Sequence[JudgeCard]",
    figures: "Sequence[Agreement]" = (),
    people: "Sequence[AgainstPeople]" = (),
) -> View:
    """What is known of all judges, as a program reads it: of all together, of each, of people."""
    scales = {card.scale for card in cards}
    shared = scales.pop() if len(scales) == 1 else None
    rows = [
        *(_line(one, shared) for one in figures),
        *(line for card in cards for line in _card_lines(card)),
        *(
            Line(
                one.figure,
                one.of,
                one.estimate.value if one.estimate else None,
                estimate=one.estimate,
                why=one.why,
            )
            for one in people
        ),
    ]
    return View("agreement", _AGREEMENT, rows)


def _line(one: "Agreement", scale: tuple[float, float] | None = None) -> Line:
    value = one.estimate.value if one.estimate else None
    return Line(one.figure, one.of, value, None, scale, one.estimate, one.why)


def _scale(row: Line) -> str:
    """Nothing where it is not known of all judges, and where a value is none of scores."""
    return "" if row.scale is None else "{:g} to {:g}".format(*row.scale)


def _warnings(row: Line) -> str:
    return " ".join(row.estimate.warnings) if row.estimate else ""


def _of_estimate(name: str) -> Any:
    def of(row: Line) -> Any:
        known = row.estimate is not None and name not in row.estimate.untold
        return getattr(row.estimate, name) if known else None

    return of


def _interval(row: Line) -> tuple[float, float] | None:
    return None if row.estimate is None or row.estimate.untold else interval_of(row.estimate)


def _count(name: str) -> Any:
    return lambda row: "" if row.estimate is None else f"{getattr(row.estimate, name):,}"


def _is_clustered(row: Line) -> bool:
    return row.estimate is not None and 0 < row.estimate.n_clusters < row.estimate.n_items


_AGREEMENT = (
    Column("figure", "text", "figure", "figure", "figure"),
    Column("of", "text", "of", "of", "of"),
    Column(
        lambda row: row.words or row.value, "difference", "value", "value", "value", reader="people"
    ),
    Column("value", "difference", None, "value", reader="programs"),
    Column(
        _interval,
        "span",
        "interval",
        "interval",
        "interval",
        reader="people",
    ),
    Column(_of_estimate("low"), "difference", None, "low", reader="programs"),
    Column(_of_estimate("high"), "difference", None, "high", reader="programs"),
    Column(_of_estimate("level"), "part", None, "level", reader="programs"),
    Column(_of_estimate("standard_error"), "difference", None, "standard error"),
    Column(_count("n_items"), "number", "items", "items", "items", reader="people"),
    Column(_of_estimate("n_items"), "number", None, "items", reader="programs"),
    Column(
        _count("n_clusters"),
        "number",
        "clusters",
        "clusters",
        "clusters",
        _is_clustered,
        reader="people",
    ),
    Column(_of_estimate("n_clusters"), "number", None, "clusters", reader="programs"),
    Column(_of_estimate("method"), "text", None, "method", reader="programs"),
    Column(_scale, "text", None, "scale", reader="programs"),
    Column(_warnings, "text", None, "warnings", reader="programs"),
    Column("why", "text", None, "why not", reader="programs"),
)
_CARD = (_AGREEMENT[0], *_AGREEMENT[2:])
