"""Documents of figures with their certainty: tables, and how to read them and how not to."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .comparison_words import words_of_comparisons
from .render.document import Document
from .render.scores import scale_words
from .views import (
    View,
    abilities_view,
    agreement_view,
    answers_view,
    components_view,
    conditions_view,
    designs_view,
    differences_view,
    facet_words,
    groups_view,
    items_view,
    judge_view,
    judges_view,
    levels_view,
    means_view,
    responses_view,
    source_words,
    together,
    with_levels,
    without_estimate,
)
from .views.view import Column

if TYPE_CHECKING:
    from types import ModuleType

    from itemeval_assets.stages.figures.comparisons.records import StudyComparisons
    from itemeval_assets.stages.figures.items.item_answers import ItemAnswers
    from itemeval_assets.stages.figures.items.item_statistics import GraderItems, StudyItems
    from itemeval_assets.stages.figures.items.response import StudyResponses
    from itemeval_assets.stages.figures.judges.agreement import StudyAgreement
    from itemeval_assets.stages.figures.judges.cards import JudgeCard
    from itemeval_assets.stages.figures.reliability import GraderReliability, StudyReliability
    from itemeval_assets.stages.figures.scores.records import StudyScores

__all__ = [
    "agreement",
    "comparisons",
    "conditions",
    "irt",
    "item_answers",
    "items",
    "judges",
    "odd_items",
    "reliability",
    "scores",
]

_MOST_LOGS = 10
_MOST_ODD = 10
_METHODS = {
    "ems": "expected mean squares",
    "reml": "restricted maximum likelihood (REML)",
}
_OF_JUDGES = (
    "Agreement is not being right: judges that share an error agree. Severity is against the mean"
    " of these judges, not against the truth."
)
# How to read what is no mean score, by what its name begins with.
_OTHERS = {
    "pass@": (
        "An item counts the chance that one of so many of its replications passes: what somebody"
        " gets who can tell right answers from wrong ones."
    ),
    "majority@": (
        "An item counts the chance that most of so many of its replications pass; a draw counts"
        " half. It votes on scores, not on answers: where wrong answers differ, a vote on answers"
        " is right more often."
    ),
    "panel mean": (
        "Each judge weighs the same, on the items that all of them graded. It says how good a"
        " condition is for these judges, not for judges in general."
    ),
}


class _Estimated(Protocol):
    """What was estimated at a level, in clusters of items."""

    @property
    def level(self) -> float: ...
    @property
    def cluster(self) -> str | None: ...


def scores(found: "StudyScores") -> Document:
    """The mean of each generate x grade condition."""
    view = means_view(found.rows, found.by, found.figure)
    reading = (
        f"{_intervals(found)}: where the mean over all items like these lies. Two that overlap do"
        " not say that two conditions are alike: compare these."
    )
    other = [words for start, words in _OTHERS.items() if found.figure.startswith(start)]
    blocks = [view, reading, *other, *found.words]
    known = any(row.low is not None for row in found.rows)
    pictures = (
        {"scores with intervals": lambda: _plots().means(found.rows, found.figure)} if known else {}
    )
    return Document(f"Scores of {found.study}", blocks, pictures, view)


def _intervals(found: "_Estimated") -> str:
    """What all intervals have in common."""
    clusters = f", items clustered by {found.cluster}" if found.cluster else ""
    return f"Intervals of {100 * found.level:g} %{clusters}"


def comparisons(found: "StudyComparisons") -> Document:
    """Words first, then the differences of all pairs, and the groups."""
    pairs, levels = differences_view(found.by_grader), levels_view(found.by_grader)
    drawn = {"differences": lambda: _plots().differences(pairs.rows)} if pairs.rows else {}
    blocks = [*words_of_comparisons(found.by_grader, found.facet), pairs, levels]
    if any(len(family.groups) > 1 for family in found.by_grader):
        blocks.append(groups_view(found.by_grader))
    blocks.append(
        f"{_intervals(found)}, of each pair by itself. The difference is that of item means, on the"
        " items that both answered. That two cannot be told apart does not say that they are equal;"
        " p does not say how large a difference is."
    )
    title = f"Comparisons of {found.study}"
    return Document(title, blocks, drawn, with_levels(pairs, levels))


def reliability(found: "StudyReliability") -> Document:
    """Components and decision studies, by grader."""
    known = any(one.designs for one in found.by_grader)
    drawn = {"error of other designs": lambda: _plots().decision_curves(found.by_grader)}
    blocks = list(_reliability(found))
    title = f"Reliability of {found.study}"
    rows = {
        one.graded_by: components_view(
            [{**row, "level": found.level, "scale": one.scale} for row in one.components], title
        )
        for one in found.by_grader
    }
    return Document(title, blocks, drawn if known else {}, _by_grader(rows))


def _reliability(found: "StudyReliability") -> Iterator[str | View]:
    for one in found.by_grader:
        if not one.components:
            yield _by(one.graded_by, one.words)
            continue
        yield components_view(one.components, f"variance components by {one.graded_by}")
        said = [_scale(one.scale), _estimated(one), *map(_readable, one.words)]
        yield _by(one.graded_by, said)
        yield designs_view(one.designs, f"other designs, by {one.graded_by}")
    yield (
        f"Intervals of {100 * found.level:g} %. Errors are standard errors of the mean of one"
        " object: relative ones for ranking objects, absolute ones for its value. They take the"
        " levels to come for levels like these, and are no surer than the components."
    )


def _estimated(one: "GraderReliability") -> str:
    """By which method, and why."""
    method = _METHODS.get(one.method or "", one.method)
    reason = (one.reason or "").rstrip(".")
    for facet, n in one.facets.items():
        reason = reason.replace(f"{n} {facet}", f"{n:,} {facet_words(facet, n)}")
    return f"Estimated by {method}: {reason}." if reason else f"Estimated by {method}."


def _readable(words: str) -> str:
    """With the words of facets in place of their columns."""
    return re.sub(
        r"[a-z_]+(?::[a-z_]+)+|[a-z]+_[a-z_]+", lambda found: source_words(found[0]), words
    )


def _scale(scale: tuple[float, float] | None) -> str:
    return f"Scale {scale_words(scale)}."


def agreement(found: "StudyAgreement") -> Document:
    """Figures about judges together, and a card of each."""
    shown = {figure.figure for card in found.cards for figure in card.figures}
    names = {card.judge for card in found.cards}
    # What is about one judge stands in its card.
    joint = [one for one in found.figures if one.figure not in shown or one.of not in names]
    blocks = [
        agreement_view(joint, found.judges),
        *without_estimate(joint),
        *found.words,
        *_cards(found.cards),
        f"{_intervals(found)}. {_OF_JUDGES}",
    ]
    known = any(one.figure == "severity" and one.estimate for one in found.figures)
    drawn = {"severity": lambda: _plots().judges(found.figures)} if known else {}
    title = f"Agreement of the judges of {found.study}"
    return Document(title, blocks, drawn, judges_view(found.cards, joint))


def judges(cards: "Sequence[JudgeCard]") -> Document:
    """The cards of some judges, with what is to be said of each."""
    words = dict.fromkeys(words for card in cards for words in card.words)
    said = [f"{_intervals(card)}. {_OF_JUDGES}" for card in cards[:1]]
    return Document("Judges", [*_cards(cards), *words, *said], {}, judges_view(cards))


def _cards(cards: "Sequence[JudgeCard]") -> Iterator[str | View]:
    for card in cards:
        yield judge_view(card)
        yield f"{card.judge}: {card.model}. {_scale(card.scale)}"
        yield from without_estimate(card.figures)


def items(found: "StudyItems") -> Document:
    """The items by grader, the odd ones first."""
    return _of_items(found, f"Items of {found.study}", list(_items(found)))


def odd_items(found: "StudyItems") -> Document:
    """The first of the flagged items by grader, and how many there are."""
    blocks = list(_items(found, most_odd=_MOST_ODD))
    return _of_items(found, f"Odd items of {found.study}", blocks)


def _of_items(found: "StudyItems", title: str, blocks: list[str | View]) -> Document:
    rows = {
        one.graded_by: items_view([{**row, "scale": one.scale} for row in one.items], title)
        for one in found.by_grader
    }
    return Document(title, blocks, {}, _by_grader(rows))


def _items(found: "StudyItems", most_odd: int | None = None) -> Iterator[str | View]:
    """All items; `most_odd`: only so many of the flagged ones."""
    for one in found.by_grader:
        view = items_view(one.items, f"items by {one.graded_by}, the odd ones first")
        odd = [row for row in view.rows if row["flag"]]
        if most_odd is not None:
            view = View(f"odd items by {one.graded_by}", view.columns, odd[:most_odd])
        yield view
        yield _by(
            one.graded_by, [*_flagged(one, len(odd), most_odd), _scale(one.scale), *one.words]
        )
    yield (
        "A flag is a reason to read an item, and no proof against it: some are flagged by chance."
        " `items --item ID` shows the answers to an item, and its logs."
    )


def _flagged(one: "GraderItems", n_odd: int, most: int | None) -> Iterator[str]:
    if one.items:
        rest = f"; the first {most} are shown" if most is not None and n_odd > most else ""
        yield f"{n_odd:,} of {len(one.items):,} items are flagged{rest}."


def _by(graded_by: str | None, words: Iterable[str]) -> str:
    """All that is said by one grader, whose name stands once."""
    return (f"By {graded_by}: " if graded_by else "") + " ".join(words)


def _by_grader(views: Mapping[str, View]) -> View | None:
    """What a program reads: the rows of all graders."""
    return together(views, Column("", "text", None, "graded by")) if views else None


def irt(found: "StudyResponses") -> Document:
    """Items and conditions on one scale, by grader."""
    fitted = [one for one in found.by_grader if one.items]
    drawn = {
        "difficulty of items": lambda: _plots().difficulties(fitted, found.level),
        "ability of conditions": lambda: _plots().abilities(fitted, found.level),
    }
    title = f"Response model ({found.model.upper()}) of {found.study}"
    rows = {one.graded_by: responses_view(one.items, title) for one in fitted}
    return Document(title, list(_responses(found)), drawn if fitted else {}, _by_grader(rows))


def _responses(found: "StudyResponses") -> Iterator[str | View]:
    for one in found.by_grader:
        if one.items:
            yield responses_view(one.items, f"items by {one.graded_by}")
            yield abilities_view(one.persons, f"conditions by {one.graded_by}")
        told = [
            f"{one.n_respondents} respondents; log likelihood {one.log_likelihood:.3f}; variance of"
            f" ability {one.ability_variance:.3f}."
        ] * bool(one.items)
        yield _by(one.graded_by, [*told, *one.words])
    yield (
        "A condition solves an item as difficult as it is able in half of the cases. All this holds"
        " if one ability explains the answers, and for conditions like these."
    )


def item_answers(found: "Sequence[ItemAnswers]") -> Document:
    """What stands behind the figures of some items."""
    return Document("Answers", [block for item in found for block in _answers(item)])


def _answers(item: "ItemAnswers") -> Iterator[str | View]:
    yield f"{item.item_id} of {item.dataset_id}: {item.question}"
    yield f"Target: {item.target}"
    yield answers_view(item)
    logs = dict.fromkeys(
        log for answer in item.answers for log in (answer.gen_log, answer.grade_log) if log
    )
    yield from (f"Log: {log}" for log in list(logs)[:_MOST_LOGS])
    if len(logs) > _MOST_LOGS:
        yield f"And {len(logs) - _MOST_LOGS:,} more logs."


def conditions(rows: Sequence[Mapping[str, Any]]) -> Document:
    """Every condition of the design, with what tells it from the others."""
    stages = {
        stage: [row for row in rows if row["stage"] == stage] for stage in ("generate", "grade")
    }
    blocks: list[str | View] = [
        conditions_view(some, f"{stage} conditions") for stage, some in stages.items() if some
    ]
    blocks.append(
        "Only what differs is shown. `--out FILE.csv` has all parts: names in full, hashes,"
        " settings, repeat."
    )
    return Document("Conditions", blocks, {}, conditions_view(rows))


def _plots() -> "ModuleType":
    """Late: a terminal shows no picture."""
    from .plots import certainty

    return certainty
