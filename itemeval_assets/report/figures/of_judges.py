"""The documents of judges: their agreement, and their cards."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from itemeval_assets.report.render.document import Document
from itemeval_assets.report.render.scores import scale_words
from itemeval_assets.report.views import (
    View,
    agreement_view,
    judge_view,
    judges_view,
    people_view,
    people_without_estimate,
    without_estimate,
)

from .wording import Estimated, intervals, plots, scale_sentence

if TYPE_CHECKING:
    from itemeval_assets.stages.figures.judges.agreed import Agreement
    from itemeval_assets.stages.figures.judges.agreement import StudyAgreement
    from itemeval_assets.stages.figures.judges.cards import JudgeCard

__all__ = ["agreement", "judges"]


_OF_JUDGES = (
    "Judges that agree may be wrong together. Severity is the judge less the mean of these judges,"
    " which is not the truth: a negative one is severe."
)


def agreement(found: "StudyAgreement") -> Document:
    """Figures about judges together, and a card of each."""
    shown = {figure.figure for card in found.cards for figure in card.figures}
    names = {card.judge for card in found.cards}
    # What is about one judge stands in its card.
    joint = [one for one in found.figures if one.figure not in shown or one.of not in names]
    blocks = [
        agreement_view(joint, found.judges),
        people_view(found.people),
        *people_without_estimate(found.people),
        *without_estimate(joint),
        *found.words,
        *_cards(found.cards, {one.why for one in joint}),
        *_reading(found, [*joint, *(figure for card in found.cards for figure in card.figures)]),
    ]
    known = any(one.figure == "severity" and one.estimate for one in found.figures)
    scales = {judge: f"scale {scale_words(scale)}" for judge, scale in found.scales.items()}
    drawn = {"severity": lambda: plots().judges(found.figures, scales)} if known else {}
    title = f"Agreement of the judges of {found.study}"
    return Document(title, blocks, drawn, judges_view(found.cards, joint, found.people))


def judges(cards: "Sequence[JudgeCard]") -> Document:
    """The cards of some judges, with what is to be said of each."""
    words = dict.fromkeys(words for card in cards for words in card.words)
    figures = [figure for card in cards for figure in card.figures]
    said = _reading(cards[0], figures) if cards else ()
    return Document("Judges", [*_cards(cards), *words, *said], {}, judges_view(cards))


def _reading(found: "Estimated", figures: "Sequence[Agreement]") -> Iterator[str]:
    """How to read the estimates, where there are any."""
    if any(one.estimate for one in figures):
        yield f"{intervals(found)}. {_OF_JUDGES}"


def _cards(cards: "Sequence[JudgeCard]", told: Collection[str | None] = ()) -> Iterator[str | View]:
    """`told`: the reasons that have been given before the cards."""
    for card in cards:
        yield judge_view(card)
        yield f"{card.judge}: {card.model}. {scale_sentence(card.scale)}"
        yield from without_estimate([one for one in card.figures if one.why not in told])
