"""Views of means and of differences, with their certainty."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from itemeval_assets.core.records.summaries import MANY

from .view import Column, Kind, View, part_of

if TYPE_CHECKING:
    from itemeval_assets.measurement import Difference
    from itemeval_assets.stages.figures.comparisons.records import Compared
    from itemeval_assets.stages.figures.scores.records import Score


class Pair(NamedTuple):
    """A comparison, by whom, and under the names that people read.

    `turned`: it is told from the other side, so that a pair has one direction throughout.
    `by_level`: on the items of this level of a column.
    """

    graded_by: str
    scale: tuple[float, float] | None
    found: "Difference"
    names: Mapping[str, str]
    turned: bool = False
    by_level: str | None = None

    @property
    def full_a(self) -> str:
        return str(self.found.b if self.turned else self.found.a)

    @property
    def full_b(self) -> str:
        return str(self.found.a if self.turned else self.found.b)

    @property
    def a(self) -> str:
        return self.names.get(self.full_a, self.full_a)

    @property
    def b(self) -> str:
        return self.names.get(self.full_b, self.full_b)

    @property
    def value(self) -> float:
        return -self.found.value if self.turned else self.found.value

    @property
    def low(self) -> float | None:
        if "low" in self.found.untold:
            return None
        return -self.found.high if self.turned else self.found.low

    @property
    def high(self) -> float | None:
        if "high" in self.found.untold:
            return None
        return -self.found.low if self.turned else self.found.high

    @property
    def p(self) -> float | None:
        return None if "p" in self.found.untold else self.found.p

    @property
    def p_unadjusted(self) -> float | None:
        return None if "p_unadjusted" in self.found.untold else self.found.p_unadjusted

    @property
    def left_out(self) -> int:
        return self.found.n_missing

    @property
    def misses_many(self) -> bool:
        """Whether the cells without a score are so many that they could change the difference."""
        return self.left_out > MANY * (self.left_out + self.found.n_events)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """As in the words: only where many cells are left out."""
        if self.found.bounds is None or not self.misses_many:
            return None
        low, high = self.found.bounds
        return (-high, -low) if self.turned else (low, high)

    @property
    def is_called(self) -> bool:
        return self.found.p < 1 - self.found.level

    @property
    def call(self) -> str:
        if not self.is_called:
            return "too close to call"
        higher, lower = ("better", "worse") if self.graded_by else ("higher", "lower")
        return higher if self.value > 0 else lower


class Grouped(NamedTuple):
    """An object, and the letters of its groups, by whom."""

    graded_by: str
    name: str
    letters: str


def pairs_of(families: "Sequence[Compared]") -> list[Pair]:
    """The pairs of all families: of each grader in the same order and direction."""
    every = [one for family in families for one in family.differences]
    names = short_names(name for one in every for name in (str(one.a), str(one.b)))
    place: dict[tuple[str, str], int] = {}
    for one in every:
        if (str(one.b), str(one.a)) not in place:
            place.setdefault((str(one.a), str(one.b)), len(place))
    found = []
    for family in families:
        pairs = [
            Pair(
                family.graded_by or "",
                family.scale,
                one,
                names,
                turned=(str(one.a), str(one.b)) not in place,
            )
            for one in family.differences
        ]
        found += sorted(pairs, key=lambda pair: place[pair.full_a, pair.full_b])
    return found


def short_names(names: Iterable[str]) -> dict[str, str]:
    """{name: what it is called}: models without their provider, unless two would be alike."""
    known = dict.fromkeys(names)
    short = {name: name.rsplit("/", maxsplit=1)[-1] for name in known}
    return short if len(set(short.values())) == len(known) else {name: name for name in known}


def means_view(rows: "Sequence[Score]", by: str | None = None, figure: str = "mean score") -> View:
    """A figure of each generate x grade condition; `by`: of each value of this item column."""
    group = (Column("group", "text", by, by, by),) if by else ()
    heading = figure.replace(" ", "\n", 1)
    mean = Column("mean", "mean", heading, figure, figure)
    return View("scores", (*GRADED, *group, mean, *_MEANS), rows, split="graded_by")


def differences_view(families: "Sequence[Compared]") -> View:
    """Each pair of objects, by each grader."""
    columns = _pair_columns(_p_heading(family.differences for family in families))
    return View("comparisons", columns, pairs_of(families), split="graded_by")


def levels_view(families: "Sequence[Compared]") -> View:
    """The difference of two objects at each level of a column of the items, by each grader."""
    depends = [(family, family.interaction) for family in families if family.interaction]
    by = depends[0][1].by if depends else ""
    rows = [
        Pair(
            family.graded_by or "", family.scale, one, short_names((str(one.a), str(one.b)))
        )._replace(by_level=str(name))
        for family, interaction in depends
        for name, one in interaction.levels.items()
    ]
    level = Column("by_level", "text", by, by, by)
    columns = _pair_columns(_p_heading(one.levels for _, one in depends))
    return View(
        f"differences at each {by}", (columns[0], level, *columns[1:]), rows, split="graded_by"
    )


def with_levels(pairs: View, levels: View) -> View:
    """All pairs, then their levels: what a program reads as one table."""
    columns = levels.columns if levels.rows else pairs.columns
    return View(pairs.title, columns, [*pairs.rows, *levels.rows])


def groups_view(families: "Sequence[Compared]") -> View:
    """The groups of the objects that each grader cannot tell apart."""
    names = short_names(str(name) for family in families for name in family.letters)
    rows = [
        Grouped(family.graded_by or "", names[name], letters)
        for family in families
        for name, letters in family.letters.items()
    ]
    # A grader is not better than another for its higher scores.
    first = "best first" if any(family.graded_by for family in families) else "highest first"
    name = Column("name", "text", first, first, first)
    return View("groups", (_GRADED_BY, name, _LETTERS), rows, split="graded_by")


def interval_of(row: Any) -> tuple[float, float] | None:
    low, high = part_of(row, "low"), part_of(row, "high")
    return None if low is None or high is None else (low, high)


def _is_clustered(row: Any) -> bool:
    return 0 < row.n_clusters < row.n_items


def _p_heading(families: Iterable[Collection[Any]]) -> str:
    """Holm adjusts the p of a family of several."""
    return "p (Holm)" if any(len(family) > 1 for family in families) else "p"


def _pair_columns(p: str) -> tuple[Column, ...]:
    return (*_PAIR, Column("p", "p", p, p, p), *_PAIR_REST)


def _in_words_too(
    value: str, kind: Kind, terminal: str, sometimes: str | None = None
) -> tuple[Column, Column]:
    """What the sentences beside a table say, too: the page of an asset has no room for it."""
    heading = terminal.replace("\n", " ")
    return (
        Column(value, kind, terminal, None, heading, sometimes),
        Column(value, kind, None, heading, None, sometimes, wide=True),
    )


GRADED = (
    Column("condition", "text", "condition", "condition", "condition"),
    Column("graded_by", "text", "graded by", "graded by", "graded by", once=True),
)
_MEANS = (
    # Both ends in one column where people read, and in two where programs may.
    Column(interval_of, "interval", "interval", "interval", "interval", reader="people"),
    Column("low", "mean", None, "low", reader="programs"),
    Column("high", "mean", None, "high", reader="programs"),
    Column("level", "part", None, "level", reader="programs"),
    Column("standard_error", "difference", None, "standard error", wide=True),
    Column("n_items", "count", "items", "items", "items", once=True),
    Column("n_clusters", "count", "clusters", "clusters", "clusters", _is_clustered, once=True),
    Column("scale", "scale", "scale", "scale", "scale", once=True),
    Column("cells", "count", None, "cells", "cells", wide=True),
    Column("left_out", "left_out", "left out", "left out", "left out", once=True),
    Column("bounds", "interval", "bounds", "bounds", "bounds", "bounds"),
    Column("method", "text", None, "method", reader="programs"),
    Column(lambda row: " ".join(row.warnings), "text", None, "warnings", reader="programs"),
)
_PAIR = (
    Column("graded_by", "text", "graded by", "graded by", "graded by", "graded_by", once=True),
    Column("a", "text", "a", "a", "a", reader="people"),
    Column("b", "text", "b", "b", "b", reader="people"),
    Column("full_a", "text", None, "a", reader="programs"),
    Column("full_b", "text", None, "b", reader="programs"),
    Column("value", "difference", "a - b", "a - b", "a - b", reader="people"),
    Column("value", "difference", None, "difference", reader="programs"),
    Column(interval_of, "span", "interval", "interval", "interval", reader="people"),
    Column("low", "difference", None, "low", reader="programs"),
    Column("high", "difference", None, "high", reader="programs"),
    Column("found.level", "part", None, "level", reader="programs"),
    Column("found.standard_error", "difference", None, "standard error", wide=True),
)
_PAIR_REST = (
    Column("p_unadjusted", "p", None, "p unadjusted", wide=True),
    Column("found.p_mcnemar", "p", None, "p of McNemar", wide=True),
    Column("found.n_items", "count", "items", "items", "items", once=True),
    Column(
        "found.n_clusters",
        "count",
        "clusters",
        "clusters",
        "clusters",
        lambda row: _is_clustered(row.found),
        once=True,
    ),
    *_in_words_too("found.n_ties", "count", "ties"),
    *_in_words_too("left_out", "count", "left\nout", sometimes="misses_many"),
    *_in_words_too("bounds", "span", "bounds", sometimes="bounds"),
    Column("scale", "scale", "scale", "scale", "scale", once=True),
    Column("found.verdict", "text", None, "verdict", reader="programs"),
    Column(lambda row: " ".join(row.found.warnings), "text", None, "warnings", reader="programs"),
    Column("call", "text", None, "call", "call", reader="people"),
)
_GRADED_BY = Column("graded_by", "text", "graded by", "graded by", "graded by", once=True)
_LETTERS = Column("letters", "text", "groups", "groups", "groups")
