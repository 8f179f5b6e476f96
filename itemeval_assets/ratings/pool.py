"""The answers that a rater may still rate, and those that were rated or are on a sheet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from itemeval_assets.core.design.cells.pending import (
    GRADING_STATE_COLUMNS,
    STATES,
    Cell,
    classify_gradings,
)
from itemeval_assets.core.design.conditions.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.stages.views.cells import CellView
from itemeval_assets.storage.study.store import ResultsStore

from .kept import kept_sheets
from .records import Line

_DONE = STATES.index("done")


@dataclass
class Pool:
    """By generate condition: the cells that are `left`, and those that are `taken`.

    `hashes`: the fingerprint of each answer that can be rated. Taken is what is rated, and what is
    on a sheet of this rater with this rubric; an answer that has changed since is left again.
    """

    left: dict[str, list[Cell]] = field(default_factory=dict)
    taken: list[tuple[str, Cell]] = field(default_factory=list)
    hashes: dict[tuple[str, Cell], str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.left.values()))


def pool_of(
    store: ResultsStore,
    view: CellView,
    rater: GradeCondition,
    generate: Sequence[GenerateCondition],
    *,
    again: bool,
) -> Pool:
    """The answers of generate conditions. `again`: those that are taken, too, are left."""
    pool = Pool()
    on_sheets = {
        (line.gen_condition_id, line.cell): line.solution_hash for line in _lines_of(store, rater)
    }
    for condition in generate:
        gradable = view.read_answers(store, Partition((condition.id,))).gradable
        partition = Partition((condition.id, rater.id))
        rows = store.read("gradings", [partition], GRADING_STATE_COLUMNS)
        states = classify_gradings(gradable, rows, None)
        prints = gradable.fingerprints.to_pylist()
        left = pool.left.setdefault(condition.id, [])
        places = np.flatnonzero(gradable.mask).tolist()
        for place, cell in zip(places, gradable.grid.cells(places), strict=True):
            answer, mark = (condition.id, cell), prints[place]
            pool.hashes[answer] = mark
            is_taken = states.codes[place] == _DONE or on_sheets.get(answer) == mark
            if is_taken:
                pool.taken.append(answer)
            if again or not is_taken:
                left.append(cell)
    return pool


def _lines_of(store: ResultsStore, rater: GradeCondition) -> Iterator[Line]:
    for sheet in kept_sheets(store):
        if sheet.grade_condition_id == rater.id:
            yield from sheet.lines
