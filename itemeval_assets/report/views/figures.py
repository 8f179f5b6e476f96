"""Views of figures with their certainty."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .view import Column, View, part_of

if TYPE_CHECKING:
    from itemeval_assets.measurement import Difference, Estimate
    from itemeval_assets.stages.figures.agreement import Agreement
    from itemeval_assets.stages.figures.comparisons import Compared
    from itemeval_assets.stages.figures.item_answers import ItemAnswers
    from itemeval_assets.stages.figures.judges import JudgeCard
    from itemeval_assets.stages.figures.reliability import Design
    from itemeval_assets.stages.figures.scores import Score

__all__ = [
    "abilities_view",
    "agreement_view",
    "answers_view",
    "components_view",
    "conditions_view",
    "designs_view",
    "differences_view",
    "groups_view",
    "items_view",
    "judge_view",
    "levels_view",
    "means_view",
    "responses_view",
]


class CardLine(NamedTuple):
    """A line of a judge's card: a figure with its estimate, or a plain value."""

    figure: str
    of: str
    value: float | None
    estimate: "Estimate | None" = None
    why: str | None = None


class Pair(NamedTuple):
    """A comparison, by whom."""

    graded_by: str
    scale: tuple[float, float] | None
    found: "Difference"


def means_view(rows: "Sequence[Score]", by: str | None = None, figure: str = "mean score") -> View:
    """A figure of each generate x grade condition; `by`: of each value of this item column."""
    group = (Column("group", "text", by, by, by),) if by else ()
    heading = figure.replace(" ", "\n", 1)
    mean = Column("mean", "mean", heading, figure, figure)
    return View("scores", (*_GRADED, *group, mean, *_MEANS), rows)


def differences_view(families: "Sequence[Compared]", level: float) -> View:
    """Each pair of objects, by each grader."""
    rows = [
        Pair(family.graded_by or "", family.scale, found)
        for family in families
        for found in family.differences
    ]
    holm = any(len(family.differences) > 1 for family in families)
    p = Column("found.p", "p", "p (Holm)" if holm else "p", "p (Holm)" if holm else "p", "p")
    call = Column(lambda row: _call(row.found, level), "text", None, "call", "call")
    return View("comparisons", (*_PAIR, p, *_PAIR_REST, call), rows)


def levels_view(family: "Compared") -> View:
    """The difference of two objects at each level of a column of the items."""
    by = family.interaction.by if family.interaction else ""
    found = family.interaction.levels if family.interaction else {}
    level = Column("graded_by", "text", by, by, by)
    p = Column("found.p", "p", "p", "p", "p")
    rows = [Pair(str(name), family.scale, one) for name, one in found.items()]
    title = f"by {by}, graded by {family.graded_by}" if family.graded_by else f"by {by}"
    return View(title, (level, *_PAIR[1:], p, *_PAIR_REST), rows)


def groups_view(family: "Compared") -> View:
    """The groups of the objects that one grader cannot tell apart."""
    title = f"groups by {family.graded_by}" if family.graded_by else "groups"
    return View(title, _GROUPS, [*family.letters.items()])


def components_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """Where the variance of scores comes from."""
    return View(title, _COMPONENTS, rows)


def designs_view(rows: "Sequence[Design]", title: str) -> View:
    """What other numbers of levels of a facet would reach."""
    return View(title, _DESIGNS, rows)


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


def items_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The statistics of items, the flagged ones first."""
    return View(title, _ITEMS, sorted(rows, key=lambda row: row["flag"] is None))


def responses_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The items of a response model, the hardest first; those without an estimate last."""
    return View(title, _RESPONSES, sorted(rows, key=_hardest_first))


def abilities_view(rows: Sequence[Mapping[str, Any]], title: str) -> View:
    """The conditions of a response model, the ablest first."""
    return View(title, _ABILITIES, sorted(rows, key=lambda row: -row["ability"]))


def answers_view(item: "ItemAnswers") -> View:
    """All answers to an item, and what was made of them."""
    return View(f"answers to {item.item_id}", _ANSWERS, item.answers)


def conditions_view(rows: Sequence[Mapping[str, Any]]) -> View:
    """Every condition of a design."""
    return View("conditions", _CONDITIONS, rows)


def _interval(row: Any) -> tuple[float, float] | None:
    low, high = part_of(row, "low"), part_of(row, "high")
    return None if low is None or high is None else (low, high)


def _is_clustered(row: Any) -> bool:
    return 0 < row.n_clusters < row.n_items


def _call(found: "Difference", level: float) -> str:
    if found.p >= 1 - level:
        return "too close to call"
    return "better" if found.value > 0 else "worse"


def _scale(row: Mapping[str, Any]) -> str:
    """Only graders have one."""
    if row["stage"] == "generate":
        return ""
    return "not declared" if row["scale"] is None else "{:g} to {:g}".format(*row["scale"])


def _hardest_first(row: Mapping[str, Any]) -> float:
    return math.inf if row["difficulty"] is None else -row["difficulty"]


def _of_estimate(name: str) -> Any:
    return lambda row: None if row.estimate is None else getattr(row.estimate, name)


def _missing_estimate(row: Any) -> str | None:
    return row.why


def _note(row: Mapping[str, Any]) -> str:
    if row["fixed"]:
        return "fixed: the spread of these levels"
    return "negative, set to 0" if row["negative"] else ""


_GRADED = (
    Column("condition", "text", "condition", "condition", "condition"),
    Column("graded_by", "text", "graded by", "graded by", "graded by"),
)
_MEANS = (
    # Both ends in one column where people read, and in two where programs may.
    Column(_interval, "interval", "interval", None, "interval"),
    Column("low", "mean", None, "low"),
    Column("high", "mean", None, "high"),
    Column("standard_error", "mean", None, "standard error"),
    Column("n_items", "count", "items", "items", "items"),
    Column("n_clusters", "count", "clusters", "clusters", "clusters", _is_clustered),
    Column("scale", "scale", "scale", "scale", "scale"),
    Column("cells", "count", None, "cells", "cells"),
    Column("left_out", "left_out", "left out", "left out", "left out"),
    Column("bounds", "interval", "bounds", "bounds", "bounds", "bounds"),
    Column("method", "text", None, "method"),
    Column(lambda row: " ".join(row.warnings), "text", None, "warnings"),
)
_PAIR = (
    Column("graded_by", "text", "graded by", "graded by", "graded by", "graded_by"),
    Column("found.a", "text", "a", "a", "a"),
    Column("found.b", "text", "b", "b", "b"),
    Column("found.value", "mean", "a - b", "difference", "a - b"),
    Column(lambda row: _interval(row.found), "interval", "interval", None, "interval"),
    Column("found.low", "mean", None, "low"),
    Column("found.high", "mean", None, "high"),
    Column("found.standard_error", "mean", None, "standard error"),
)
_PAIR_REST = (
    Column("found.p_unadjusted", "p", None, "p of this pair alone"),
    Column("found.p_mcnemar", "p", None, "p of McNemar"),
    Column("found.n_items", "count", "items", "items", "items"),
    Column(
        "found.n_clusters",
        "count",
        "clusters",
        "clusters",
        "clusters",
        lambda row: _is_clustered(row.found),
    ),
    Column("found.n_ties", "count", "ties", "ties", "ties"),
    Column("scale", "scale", None, "scale"),
    Column("found.verdict", "text", None, "verdict"),
    Column(lambda row: " ".join(row.found.warnings), "text", None, "warnings"),
)
_GROUPS = (
    Column(lambda row: row[0], "text", "best first", "best first", "best first"),
    Column(lambda row: row[1], "text", "groups", "groups", "groups"),
)
_COMPONENTS = (
    Column("source", "text", "source", "source", "source"),
    Column("df", "count", "df", "df", "df"),
    Column("variance", "component", "variance", "variance", "variance"),
    Column("share", "part", "share", "share", "share"),
    Column("low", "component", "low", "low", "low"),
    Column("high", "component", "high", "high", "high"),
    Column("mean_square", "component", None, "mean square"),
    Column(_note, "text", "note", "note", "note"),
)
_DESIGNS = (
    Column("facet", "text", "facet", "facet", "facet"),
    Column(lambda row: f"{row.n:,}{' (now)' if row.observed else ''}", "text", "n", "n", "n"),
    Column("relative_error", "component", "relative\nerror", "relative error", "relative error"),
    Column("absolute_error", "component", "absolute\nerror", "absolute error", "absolute error"),
    Column("generalizability", "component", "E rho²", "E rho²", "E rho²"),
    Column("dependability", "component", "Phi", "Phi", "Phi"),
)
_AGREEMENT = (
    Column("figure", "text", "figure", "figure", "figure"),
    Column("of", "text", "of", "of", "of"),
    Column(_of_estimate("value"), "mean", "value", "value", "value"),
    Column(
        lambda row: None if row.estimate is None else _interval(row.estimate),
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
_ITEMS = (
    Column("item_id", "text", "item", "item", "item"),
    Column("n_events", "count", None, "events"),
    Column("difficulty", "mean", "mean\nscore", "mean score", "mean score"),
    Column("item_total", "mean", "item-\ntotal", "item-total", "item-total"),
    Column("ties", "part", "ties", "ties"),
    Column("flips", "part", "flips", "flips"),
    Column("quarrels", "part", "quarrels", "quarrels"),
    Column("flag", "text", None, "flag"),
    Column("reason", "text", "why it is odd", "why it is odd", "why it is odd"),
    Column("question", "line", None, "question"),
    Column(lambda row: " ".join(row["logs"]), "text", None, "logs"),
)
_ANSWERS = (
    *_GRADED,
    Column("replication", "number", "replication", "replication"),
    Column("state", "state", "state", "state"),
    Column("score", "mean", "score", "score"),
    Column("solution", "line", "answer", "answer"),
    Column("judge_completion", "line", None, "judge's reply"),
    Column("gen_log", "text", None, "log of the answer"),
    Column("grade_log", "text", None, "log of the grading"),
)
_RESPONSES = (
    Column("item", "text", "item", "item"),
    Column("difficulty", "mean", "difficulty", "difficulty"),
    Column("difficulty_se", "mean", "error", "standard error of difficulty"),
    Column("discrimination", "mean", "discri-\nmination", "discrimination"),
    Column("discrimination_se", "mean", "error", "standard error of discrimination"),
    Column("easiness", "mean", None, "easiness"),
    Column("easiness_se", "mean", None, "standard error of easiness"),
    Column("question", "line", None, "question"),
)
_ABILITIES = (
    Column("person", "text", "condition", "condition"),
    Column("ability", "mean", "ability", "ability"),
    Column("ability_se", "mean", "error", "standard error"),
)
_CONDITIONS = (
    Column("stage", "text", "stage", "stage"),
    Column("label", "text", "label", "label"),
    Column("condition_id", "text", "condition_id", "condition_id"),
    Column("slug", "text", None, "slug"),
    Column("model", "text", "model", "model"),
    *(
        Column(lambda row, name=name: row.get(name), "text", None, name)
        for name in (
            *("prompt_name", "prompt_hash", "model_config_name"),
            *("grade_kind", "grader_name", "rubric_name", "rubric_hash", "scorer_name"),
        )
    ),
    Column(lambda row: row.get("temperature"), "number", None, "temperature"),
    Column(lambda row: row.get("repeat"), "number", None, "repeat"),
    Column(_scale, "text", "scale", "scale"),
)
