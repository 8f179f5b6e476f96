"""What is known of sheets, and what became of them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from itemeval_assets.core.design.cells.pending import Cell


class Line(NamedTuple):
    """One answer on a sheet. `code` joins it back, and tells nothing of its condition.

    `solution_hash`: the fingerprint of the answer as it was put on the sheet.
    """

    code: str
    gen_condition_id: str
    item_id: str
    epoch: int
    solution_hash: str

    @property
    def cell(self) -> Cell:
        return Cell(self.item_id, self.epoch)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet as the study keeps it: who rates what, and on which scale."""

    id: str
    rater: str
    scale: tuple[float, float]
    rubric: str
    grade_condition_id: str
    seed: int
    created_at: str
    lines: list[Line]


class Expected(NamedTuple):
    """How sure the mean of a model by a rater is, and with more ratings.

    `items` have ratings, of `of_items`; `more` are to come. Half of the width of the interval
    `now` and `then`, in points of the rater's scale; null where too few ratings tell it. `judge`:
    the one whose scores help most; null: none does.
    """

    model: str
    judge: str | None
    items: int
    of_items: int
    more: int
    now: float | None
    then: float | None


@dataclass(frozen=True, kw_only=True)
class NextRatings:
    """What a rater would rate next. `answers`: how many; `left`: how many there are in all."""

    study: str
    config: str
    rater: str
    rubric: str
    seed: int
    answers: int
    left: int
    level: float
    expected: list[Expected]
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SheetSummary(NextRatings):
    """A sheet that was written."""

    sheet: str
    path: str
    scale: tuple[float, float]


class RatingsSummary(NamedTuple):
    """What came in of a filled-in sheet.

    `ratings` are new or changed, `known` were there already, `blank` rows have no score. `kept`:
    where the study keeps the file. `is_new_rater`: the YAML has the rater since.
    """

    study: str
    config: str
    source: str
    rater: str
    rubric: str
    ratings: int
    known: int
    blank: int
    is_new_rater: bool
    run_id: str | None
    kept: str | None
    notes: list[str]
