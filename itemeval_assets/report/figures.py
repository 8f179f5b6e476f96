"""Documents of figures with their certainty: tables, and how to read them and how not to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .render.document import Document
from .views import (
    View,
    abilities_view,
    agreement_view,
    answers_view,
    components_view,
    conditions_view,
    designs_view,
    differences_view,
    groups_view,
    items_view,
    judge_view,
    levels_view,
    means_view,
    responses_view,
)

if TYPE_CHECKING:
    from types import ModuleType

    from itemeval_assets.stages.figures.agreement import StudyAgreement
    from itemeval_assets.stages.figures.comparisons import Compared, StudyComparisons
    from itemeval_assets.stages.figures.item_answers import ItemAnswers
    from itemeval_assets.stages.figures.item_statistics import StudyItems
    from itemeval_assets.stages.figures.judges import JudgeCard
    from itemeval_assets.stages.figures.reliability import StudyReliability
    from itemeval_assets.stages.figures.response import StudyResponses
    from itemeval_assets.stages.figures.scores import StudyScores

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

_MOST_VERDICTS = 10
_MOST_LOGS = 10
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


def scores(found: "StudyScores") -> Document:
    """The mean of each generate x grade condition."""
    clusters = f", items clustered by {found.cluster}" if found.cluster else ""
    reading = (
        f"Intervals ({100 * found.level:g} %{clusters}): where the mean over all items like these"
        " lies. Two that overlap do not say that two conditions are alike: compare these."
    )
    other = [words for start, words in _OTHERS.items() if found.figure.startswith(start)]
    blocks = [means_view(found.rows, found.by, found.figure), reading, *other, *found.words]
    known = any(row.low is not None for row in found.rows)
    pictures = (
        {"scores with intervals": lambda: _plots().means(found.rows, found.figure)} if known else {}
    )
    return Document(f"Scores of {found.study}", blocks, pictures)


def comparisons(found: "StudyComparisons") -> Document:
    """Words first, then the differences of all pairs, and the groups."""
    known = any(family.differences for family in found.by_grader)
    drawn = {"differences": lambda: _plots().differences(found.by_grader, found.level)}
    blocks = list(_comparisons(found))
    return Document(f"Comparisons of {found.study}", blocks, drawn if known else {})


def _comparisons(found: "StudyComparisons") -> Iterator[str | View]:
    for family in found.by_grader:
        for one in family.differences[:_MOST_VERDICTS]:
            yield f"{_by(family)}{one.verdict}"
        if len(family.differences) > _MOST_VERDICTS:
            yield f"{_by(family)}and {len(family.differences) - _MOST_VERDICTS:,} more pairs."
        yield from (f"{_by(family)}{why}" for _, _, why in family.left_out)
    yield from _said(found.by_grader)
    yield differences_view(found.by_grader, found.level)
    for family in found.by_grader:
        if family.letters:
            yield groups_view(family)
        if family.interaction:
            yield levels_view(family)
    yield (
        "The difference is that of item means, on the items that both answered. That two cannot be"
        " told apart does not say that they are equal; p does not say how large a difference is."
    )


def _said(families: "Sequence[Compared]") -> Iterator[str]:
    """The words of all families: once, where they are the same for all."""
    for words in dict.fromkeys(words for family in families for words in family.words):
        about = [family for family in families if words in family.words]
        if len(about) == len(families):
            yield words
        else:
            yield from (f"{_by(family)}{words}" for family in about)


def _by(family: "Compared") -> str:
    return f"By {family.graded_by}: " if family.graded_by else ""


def reliability(found: "StudyReliability") -> Document:
    """Components and decision studies, by grader."""
    known = any(one.designs for one in found.by_grader)
    drawn = {"error of other designs": lambda: _plots().decision_curves(found.by_grader)}
    blocks = list(_reliability(found))
    return Document(f"Reliability of {found.study}", blocks, drawn if known else {})


def _reliability(found: "StudyReliability") -> Iterator[str | View]:
    for one in found.by_grader:
        if not one.components:
            yield from (f"By {one.graded_by}: {words}" for words in one.words)
            continue
        yield components_view(one.components, f"variance components by {one.graded_by}")
        yield f"Method {one.method}: {one.reason.rstrip('.') if one.reason else ''}."
        yield from one.words
        yield designs_view(one.designs, f"other designs, by {one.graded_by}")
    yield (
        "Errors are standard errors of the mean of one object: relative ones for ranking objects,"
        " absolute ones for its value. They take the levels to come for levels like these, and are"
        " no surer than the components."
    )


def agreement(found: "StudyAgreement") -> Document:
    """Figures about judges together, and a card of each."""
    shown = {figure.figure for card in found.cards for figure in card.figures}
    names = {card.judge for card in found.cards}
    # What is about one judge stands in its card.
    joint = [one for one in found.figures if one.figure not in shown or one.of not in names]
    blocks = [agreement_view(joint), *found.words, *_cards(found.cards), _OF_JUDGES]
    known = any(one.figure == "severity" and one.estimate for one in found.figures)
    drawn = {"severity": lambda: _plots().judges(found.figures)}
    return Document(f"Agreement of the judges of {found.study}", blocks, drawn if known else {})


def judges(cards: "Sequence[JudgeCard]") -> Document:
    """The cards of some judges, with what is to be said of each."""
    words = [words for card in cards for words in card.words]
    return Document("Judges", [*_cards(cards), *dict.fromkeys(words), _OF_JUDGES])


def _cards(cards: "Sequence[JudgeCard]") -> list[View]:
    return [judge_view(card) for card in cards]


def items(found: "StudyItems") -> Document:
    """The items by grader, the odd ones first."""
    return Document(f"Items of {found.study}", list(_items(found)))


def odd_items(found: "StudyItems") -> Document:
    """The flagged items by grader."""
    return Document(f"Odd items of {found.study}", list(_items(found, only_odd=True)))


def _items(found: "StudyItems", *, only_odd: bool = False) -> Iterator[str | View]:
    for one in found.by_grader:
        shown = [row for row in one.items if row["flag"]] if only_odd else one.items
        order = "the odd ones" if only_odd else "the odd ones first"
        yield items_view(shown, f"items by {one.graded_by}, {order}")
        if one.items and not shown:
            yield f"By {one.graded_by}: no item is odd."
        yield from (f"By {one.graded_by}: {words}" for words in one.words)
    yield (
        "A flag is a reason to read an item, and no proof against it: of items that correlate with"
        " nothing, one in forty is flagged by chance. `items --item ID` shows its answers and logs."
    )


def irt(found: "StudyResponses") -> Document:
    """Items and conditions on one scale, by grader."""
    fitted = [one for one in found.by_grader if one.items]
    drawn = {
        "difficulty of items": lambda: _plots().difficulties(fitted, found.level),
        "ability of conditions": lambda: _plots().abilities(fitted, found.level),
    }
    title = f"Response model ({found.model.upper()}) of {found.study}"
    return Document(title, list(_responses(found)), drawn if fitted else {})


def _responses(found: "StudyResponses") -> Iterator[str | View]:
    for one in found.by_grader:
        if one.items:
            yield responses_view(one.items, f"items by {one.graded_by}")
            yield abilities_view(one.persons, f"conditions by {one.graded_by}")
            yield (
                f"By {one.graded_by}: {one.n_respondents} respondents; log likelihood"
                f" {one.log_likelihood:.3f}; variance of ability {one.ability_variance:.3f}."
            )
        yield from (f"By {one.graded_by}: {words}" for words in one.words)
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
    """Every condition of the design."""
    return Document("Conditions", [conditions_view(rows)])


def _plots() -> "ModuleType":
    """Late: a terminal shows no picture."""
    from .plots import certainty

    return certainty
