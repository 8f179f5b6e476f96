"""What a sheet shows: a row for each answer, and the rubric once. No model is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.prompts.chats import IS_CHAT
from itemeval_assets.core.prompts.criteria import Criterion, body_of, criteria_of
from itemeval_assets.core.prompts.prompts import rubric_values
from itemeval_assets.core.prompts.templates import Template, render
from itemeval_assets.storage.study.store import ResultsStore

from .records import Line, Sheet

__all__ = ["CODE", "COMMENT", "RUBRIC", "SCORE", "SheetContent", "SheetTexts"]

CODE, SCORE, COMMENT, RUBRIC = "code", "score", "comment", "rubric"
INPUT, SOLUTION = "input", "solution"
_OWN = {CODE, SCORE, COMMENT, RUBRIC}
# The id of an item may tell where it is from; a rater needs none.
_UNSHOWN = {"id"}


@dataclass(frozen=True)
class SheetContent:
    """A sheet as it is written. `names`: the columns of texts; `rows`: a text for each of them."""

    sheet: Sheet
    rubric: str
    names: list[str]
    rows: list[dict[str, str]]

    @property
    def scale_words(self) -> str:
        """`from 0 to 10`."""
        return _scale_words(self.sheet.scale)


class SheetTexts:
    """The texts of the answers of a study, as sheets with one rubric show them."""

    def __init__(
        self,
        study: Study,
        store: ResultsStore,
        rater: GradeCondition,
        items: Mapping[str, Mapping[str, Any]],
    ) -> None:
        assert rater.grader.template
        self._study, self._store, self._items = study, store, items
        self._criteria = criteria_of(rater.grader.template)
        self._rubric = body_of(rater.grader.template)
        self._solutions: dict[str, dict[tuple[str, int], str | None]] = {}
        benchmark = study.config.benchmark
        self._is_chat = bool(benchmark.mapping.chat or benchmark.ref)
        self.names = [INPUT, *self._named_columns(), SOLUTION]

    def content(self, sheet: Sheet) -> SheetContent:
        """All that a sheet shows, in its order."""
        rows = [{CODE: line.code, **self.of(line)} for line in sheet.lines]
        return SheetContent(sheet, self.rubric, self.names, rows)

    @property
    def rubric(self) -> str:
        """The rubric, where what stands in a column is called as the column is.

        Criteria come first, in words: a person gives one score for all of them.
        """
        text = render(self._rubric.text, {name: f"[{name}]" for name in self._placeholders()})
        named = ", ".join(map(_in_words, self._criteria))
        return f"Criteria: {named}.\n\n{text}" if named else text

    def of(self, line: Line) -> dict[str, str]:
        """The texts of one answer, by column."""
        solution = self._of_condition(line.gen_condition_id)[line.cell]
        item = {**self._items[line.item_id], IS_CHAT: self._is_chat}
        values = rubric_values(item, solution)
        return {name: values.get(name) or "" for name in self.names}

    def _of_condition(self, condition: str) -> dict[tuple[str, int], str | None]:
        if condition not in self._solutions:
            columns = ["item_id", "epoch", SOLUTION]
            rows = self._store.read("solutions", [Partition((condition,))], columns).to_pylist()
            self._solutions[condition] = {
                (row["item_id"], row["epoch"]): row[SOLUTION] for row in rows
            }
        return self._solutions[condition]

    def _named_columns(self) -> list[str]:
        """What the rubric shows beside the question and the answer, such as the target."""
        return [name for name in self._placeholders() if name not in {INPUT, SOLUTION, *_UNSHOWN}]

    def _placeholders(self) -> list[str]:
        known = {
            *(INPUT, SOLUTION, "target", "grading_scheme", "id"),
            *self._study.metadata_columns,
        } - _OWN
        return _named(self._rubric, known)


def _named(template: Template, known: set[str]) -> list[str]:
    """The placeholders that a template has, in their order."""
    places = {name: template.text.find(f"{{{name}}}") for name in known}
    return sorted((name for name, place in places.items() if place >= 0), key=places.__getitem__)


def _in_words(criterion: Criterion) -> str:
    """`clear (from 0 to 4)`; the name alone where the rubric says no scale."""
    name, scale = criterion
    return f"{name} ({_scale_words(scale)})" if scale else name


def _scale_words(scale: tuple[float, float]) -> str:
    return "from {:g} to {:g}".format(*scale)
