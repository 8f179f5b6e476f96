"""The documents of items, of the answers to one, and of response models."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from itemeval_assets.core.records.summaries import left_out_words
from itemeval_assets.report.render.document import Document, ImageLine
from itemeval_assets.report.render.scores import scale_words
from itemeval_assets.report.views import (
    View,
    abilities_view,
    answers_view,
    items_view,
    responded_view,
    responses_view,
)

from .wording import by_grader, plots, rows_by_grader, rows_by_table, scale_sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from itemeval_assets.stages.figures.items.item_answers import ItemAnswers
    from itemeval_assets.stages.figures.items.item_statistics import GraderItems, StudyItems
    from itemeval_assets.stages.figures.items.matrix import ResponseMatrix
    from itemeval_assets.stages.figures.items.response import GraderResponses, StudyResponses

__all__ = ["irt", "item_answers", "items", "odd_items", "response_matrix"]


_MOST_LOGS = 10
_MOST_ODD = 10
_COLUMNS = (
    "Item-total is the correlation over conditions of the score on an item with the mean on the"
    " others, ties are the pairs of conditions with the same mean, flips the cells with"
    " replications that differ, quarrels the answers on which graders differ, both by half of the"
    " scale or more where one is declared; - is where there is nothing to compare."
)


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
    drawn = {"items": lambda: _picture(found)} if any(one.items for one in found.by_grader) else {}
    return Document(title, [*found.notes, *blocks], drawn, rows_by_grader(rows))


def _picture(found: "StudyItems") -> "Figure":
    """Late: a terminal shows no picture."""
    from itemeval_assets.report.plots.items import items

    return items(found.by_grader)


def _items(found: "StudyItems", most_odd: int | None = None) -> Iterator[str | View]:
    """All items; `most_odd`: only so many of the flagged ones."""
    for one in found.by_grader:
        view = items_view(one.items, f"items by {one.graded_by}, the odd ones first")
        odd = [row for row in view.rows if row["flag"]]
        if most_odd is not None:
            view = View(f"odd items by {one.graded_by}", view.columns, odd[:most_odd])
        yield view
        yield by_grader(
            one.graded_by,
            [*_flagged(one, len(odd), most_odd), scale_sentence(one.scale), *one.words],
        )
    if not any(one.items for one in found.by_grader):
        return
    yield _COLUMNS
    yield (
        "A flag is a reason to read an item, and no proof against it: some are flagged by chance."
        " `show ITEM` shows the answers to an item, and its logs; `items --out FILE.html` has all"
        " items."
    )


def _flagged(one: "GraderItems", n_odd: int, most: int | None) -> Iterator[str]:
    if one.items:
        rest = f"; the first {most} are shown" if most is not None and n_odd > most else ""
        are = "is" if n_odd == 1 else "are"
        yield f"{n_odd:,} of {len(one.items):,} items {are} flagged{rest}."


def irt(found: "StudyResponses") -> Document:
    """Items and conditions on one scale, by grader."""
    fitted = [one for one in found.by_grader if one.items]
    drawn = {
        "difficulty of items": lambda: plots().difficulties(fitted, found.level),
        "ability of conditions": lambda: plots().abilities(fitted, found.level),
    }
    title = f"Response model ({found.model.upper()}) of {found.study}"
    rows = rows_by_table(
        items=rows_by_grader({one.graded_by: responses_view(one.items, title) for one in fitted}),
        conditions=rows_by_grader(
            {one.graded_by: abilities_view(one.persons, title) for one in fitted}
        ),
    )
    blocks = [*found.notes, *_responses(found)]
    return Document(title, blocks, drawn if fitted else {}, rows)


def _responses(found: "StudyResponses") -> Iterator[str | View]:
    for one in found.by_grader:
        if one.items:
            yield responses_view(one.items, f"items by {one.graded_by}")
            yield abilities_view(one.persons, f"conditions by {one.graded_by}")
        told = [
            f"Answers with a score of {one.passes:g} or more are right ({_scale(one)})."
            f" {one.n_respondents} respondents; log likelihood {one.log_likelihood:.3f};"
            f" variance of ability {one.ability_variance:.3f}."
        ] * bool(one.items)
        yield by_grader(one.graded_by, [*told, *one.words])
    fixed = ", and fixed at 1 in the 1PL" if found.model == "1pl" else ""
    yield (
        "Difficulty and ability are on one scale, discrimination is how steeply the chance of a"
        f" right answer rises with ability{fixed}, and SE is the standard error of what stands"
        " before it."
    )
    yield (
        "A condition whose ability is the difficulty of an item solves it in half of the cases. All"
        " this holds if one ability explains the answers, and for conditions like these."
    )


def response_matrix(found: "ResponseMatrix") -> Document:
    """The persons with what they leave out; a file has their scores."""
    title = f"Response matrix of {found.study} by {found.graded_by}"
    blocks = [*found.notes, responded_view(found, title), " ".join(_matrix_words(found))]
    return Document(title, blocks, is_matrix=True)


def _matrix_words(found: "ResponseMatrix") -> Iterator[str]:
    what = "states" if found.shows_states else "scores"
    yield f"{len(found.rows):,} {found.persons} x {len(found.items):,} items: {what}."
    if found.passes is not None and not found.shows_states:
        yield f"A score of {found.passes:g} or more is 1, any other 0."
    elif found.scale is not None:
        yield scale_sentence(found.scale)
    if found.persons == "conditions" and found.replications > 1:
        yield f"Of {found.replications} replications the first one with a score counts."
    if found.left_out:
        yield (
            f"Without a score: {left_out_words(found.left_out)}. `cells` gives the reasons, and"
            " `--states` the matrix of states."
        )
    yield "`--out FILE.csv` has the matrix."


def _scale(one: "GraderResponses") -> str:
    return "no scale is declared" if one.scale is None else f"scale {scale_words(one.scale)}"


def item_answers(found: "Sequence[ItemAnswers]") -> Document:
    """What stands behind the figures of some items."""
    notes = dict.fromkeys(note for item in found for note in item.notes)
    return Document("Answers", [*notes, *(block for item in found for block in _answers(item))])


def _answers(item: "ItemAnswers") -> Iterator[str | View]:
    yield f"{item.item_id} of {item.dataset_id}: {item.question}"
    if item.choices:
        yield item.choices
    yield from (ImageLine(f"Image: {address}") for address in item.images)
    yield f"Target: {item.target}"
    yield answers_view(item)
    for log in item.logs[:_MOST_LOGS]:
        yield f"Gone: {log}" if log in item.gone else f"Log: {log}"
    if len(item.logs) > _MOST_LOGS:
        yield f"And {len(item.logs) - _MOST_LOGS:,} more logs."
    if item.gone:
        yield "A log that is gone was deleted or moved; answers and scores are kept."
