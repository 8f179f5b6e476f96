"""Views of judges against people, and of what more ratings would bring."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .figures import interval_of
from .view import Column, View

if TYPE_CHECKING:
    from itemeval_assets.ratings.records import Expected
    from itemeval_assets.stages.figures.judges.people import AgainstPeople

__all__ = ["expected_view", "people_view", "people_without_estimate"]


def people_view(rows: "Sequence[AgainstPeople]") -> View:
    """The figures that have an estimate; on a terminal a table for each judge and rater."""
    return View(
        "agreement with people", _PEOPLE, [one for one in rows if one.estimate], None, _PAIR
    )


def expected_view(rows: "Sequence[Expected]") -> View:
    """How sure the means are, and would be with more ratings, model by model."""
    return View("how sure the means are", _EXPECTED, rows)


def people_without_estimate(rows: "Sequence[AgainstPeople]") -> Iterator[str]:
    """Why there are no estimates: each reason once, with the models that it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for one in rows:
        if one.why:
            about.setdefault((one.figure, one.why), []).append(one.model)
    for (figure, why), models in about.items():
        yield f"No {figure} of {', '.join(dict.fromkeys(models))}: {why}"


def _pair(row: "AgainstPeople") -> str:
    return f"{row.judge} and {row.rater}"


_PAIR: Any = _pair


def _of_estimate(name: str) -> Any:
    def of(row: "AgainstPeople") -> Any:
        known = row.estimate is not None and name not in row.estimate.untold
        return getattr(row.estimate, name) if known else None

    return of


def _interval(row: "AgainstPeople") -> tuple[float, float] | None:
    return None if row.estimate is None or row.estimate.untold else interval_of(row.estimate)


def _half(name: str) -> Any:
    """Half of the width of an interval, as people write it."""

    def of(row: "Expected") -> str:
        width = getattr(row, name)
        return "" if width is None else f"±{width:.3g}"

    return of


_PEOPLE = (
    Column(_PAIR, "text", "judge and rater", "judge and rater", "judge and rater"),
    Column("figure", "text", "figure", "figure", "figure"),
    Column("model", "text", "model", "model", "model"),
    Column(_of_estimate("value"), "difference", "value", "value", "value"),
    Column(_interval, "span", "interval", "interval", "interval", reader="people"),
    Column(_of_estimate("low"), "difference", None, "low", reader="programs"),
    Column(_of_estimate("high"), "difference", None, "high", reader="programs"),
    Column("rated", "number", "rated", "rated", "rated"),
    Column(_of_estimate("method"), "text", None, "method", reader="programs"),
)
_EXPECTED = (
    Column("model", "text", "model", "model"),
    Column("items", "number", "items rated", "items rated"),
    Column("of_items", "number", "of", "of"),
    Column("more", "number", "more", "more"),
    Column(_half("now"), "text", "interval now", "interval now", sometimes=_half("now")),
    Column(_half("then"), "text", "with them", "with them", sometimes=_half("then")),
    Column(
        lambda row: row.judge or "", "text", "by the judge", "by the judge", sometimes=_half("now")
    ),
)
