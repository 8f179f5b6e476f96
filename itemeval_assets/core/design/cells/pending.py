"""Which cells are pending: one predicate for runs, status, estimates and schedules.

A cell is (item_id, epoch) inside one partition. It is pending when it is missing,
errored, stale, or blank under `on_empty: rerun`; `force` makes every cell pending, and
`skip_tried` none that errored or is blank.
Whole columns are looked at, so that a million cells take seconds.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# `waiting`: a grading whose solution is not there, or is none that can be graded.
STATES = ("waiting", "missing", "errored", "blank", "stale", "done")
_WAITING, _MISSING, _ERRORED, _BLANK, _STALE, _DONE = range(len(STATES))
SOLUTION_STATE_COLUMNS = ["item_id", "epoch", "solution", "error"]
GRADING_STATE_COLUMNS = [
    "item_id",
    "epoch",
    "error",
    "solution_hash",
    "scorer_version",
    "item_rubric_hash",
]
# Of the rules of scorers; null: graded by none.
Versions = tuple[str | None, ...]
_DIGITS = 16  # of a fingerprint, four bits each
# Whoever writes one of these has not left the answer blank.
_VISIBLE = "[!-~]"


class Cell(NamedTuple):
    """One item and one replication of a partition."""

    item_id: str
    epoch: int


class Pending(NamedTuple):
    """bool[cells of a grid] twice: the cells to call, and those that no cache must answer."""

    grid: "Grid"
    cells: np.ndarray
    fresh: np.ndarray

    def within(self, mask: np.ndarray) -> "Pending":
        """Those among the cells of a mask."""
        return self._replace(cells=self.cells & mask, fresh=self.fresh & mask)

    def plan(self) -> "Plan":
        """The same by name, in the order of the grid."""
        cells, fresh = (
            self.grid.cells(np.flatnonzero(found).tolist()) for found in (self.cells, self.fresh)
        )
        return Plan(cells, set(fresh))


class Plan(NamedTuple):
    """The cells of one partition to call, and those that must not be answered by the cache."""

    cells: list[Cell]
    fresh: set[Cell]


class Grid:
    """The cells of every partition: items x replications, item by item."""

    def __init__(self, items: Sequence[str], replications: int) -> None:
        self._items = list(items)
        self._known = pa.array(self._items, pa.string())
        self._replications = replications

    def __len__(self) -> int:
        return len(self._items) * self._replications

    @property
    def replications(self) -> int:
        return self._replications

    def cells(self, places: Iterable[int] | None = None) -> list[Cell]:
        """The cells at these places, or all."""
        size = self._replications
        chosen = range(len(self)) if places is None else places
        return [Cell(self._items[place // size], int(place % size) + 1) for place in chosen]

    def places(self, rows: pa.Table) -> np.ndarray:
        """int64[rows]: the place of each row's cell; -1 for a row outside the grid."""
        return self.places_of(rows["item_id"], rows["epoch"])

    def holds(self, items: pa.ChunkedArray, epochs: pa.ChunkedArray) -> pa.Array:
        """bool[rows]: whether the grid has these cells."""
        return pa.array(self.places_of(items, epochs) >= 0)

    def places_of(self, items: pa.ChunkedArray, epochs: pa.ChunkedArray) -> np.ndarray:
        """int64[]: the place of each cell; -1 outside the grid."""
        item = pc.index_in(items, value_set=self._known)  # type: ignore[attr-defined]
        found = item.fill_null(-1).to_numpy().astype(np.int64)
        epoch = epochs.to_numpy().astype(np.int64)
        inside = (found >= 0) & (epoch >= 1) & (epoch <= self._replications)
        return np.where(inside, found * self._replications + epoch - 1, -1)


class States:
    """The state of every cell of a grid. `codes`: int8[cells], places in `STATES`."""

    def __init__(self, grid: Grid, codes: np.ndarray) -> None:
        self.grid = grid
        self.codes = codes

    def counts(self) -> dict[str, int]:
        """How many cells are in each state that any is in."""
        sums = np.bincount(self.codes, minlength=len(STATES)).tolist()
        return {state: count for state, count in zip(STATES, sums, strict=True) if count}


class Gradable(NamedTuple):
    """The solutions of one generate condition that can be graded.

    `states` are those of all its solutions. `mask`: bool[cells]; `fingerprints`: string[cells],
    null where there is nothing to grade. `rubrics`: string[cells], the hashes of the rubrics that
    models have written for the items; null where they write none.
    """

    grid: Grid
    states: States
    mask: np.ndarray
    fingerprints: pa.Array
    rubrics: pa.Array | None = None


def is_blank(text: str | None) -> bool:
    return text is None or not text.strip()


def solution_fingerprint(solution: str | None) -> str:
    """First 16 hex of the sha256 of the solution's text; blank and null are the same."""
    text = "" if solution is None or is_blank(solution) else solution
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def classify_solutions(grid: Grid, solutions: pa.Table) -> States:
    """The state of each cell given the rows of one generate condition.

    Reads SOLUTION_STATE_COLUMNS.
    """
    codes = np.full(len(grid), _MISSING, np.int8)
    places = grid.places(solutions)
    found = np.where(_blank(solutions["solution"]), _BLANK, _DONE)
    found[_is_set(solutions["error"])] = _ERRORED
    inside = places >= 0
    codes[places[inside]] = found[inside]
    return States(grid, codes)


def gradable_solutions(grid: Grid, solutions: pa.Table, on_empty: str) -> Gradable:
    """What of one generate condition can be graded: no errors; blanks under `on_empty: grade`.

    Reads SOLUTION_STATE_COLUMNS.
    """
    wanted = ("done", "blank") if on_empty == "grade" else ("done",)
    states = classify_solutions(grid, solutions)
    mask = np.isin(states.codes, [STATES.index(state) for state in wanted])
    places = grid.places(solutions)
    rows = _at(places, mask)
    texts, is_blank = solutions["solution"], states.codes[places[rows]] == _BLANK
    if len(rows) < len(texts):
        texts = texts.take(pa.array(rows))
    if is_blank.any():
        texts = pc.if_else(pa.array(is_blank), "", texts)  # type: ignore[attr-defined]
    row_of = np.full(len(grid), -1)
    row_of[places[rows]] = np.arange(len(rows))
    prints = _fingerprints(texts).take(pa.array(row_of, mask=row_of < 0))
    return Gradable(grid, states, mask, prints)


def gradable_in_logs(grid: Grid, solutions: pa.Table) -> Gradable:
    """What a task has scored of one generate condition: each sample without an error, blank or not.

    What is graded is the sample and not its text: the fingerprints are of its uuid. Reads
    SOLUTION_STATE_COLUMNS and sample_uuid.
    """
    states = classify_solutions(grid, solutions)
    mask = np.isin(states.codes, (_DONE, _BLANK))
    places = grid.places(solutions)
    rows = _at(places, mask)
    uuids = solutions["sample_uuid"].fill_null("").take(pa.array(rows))
    row_of = np.full(len(grid), -1)
    row_of[places[rows]] = np.arange(len(rows))
    prints = _fingerprints(uuids).take(pa.array(row_of, mask=row_of < 0))
    return Gradable(grid, states, mask, prints)


def classify_gradings(gradable: Gradable, gradings: pa.Table, versions: Versions | None) -> States:
    """The state of each cell of a generate x grade partition, given its rows.

    A grading is stale when its solution has changed since, or the rubric of its item, or the rules
    of its scorer have: `versions` are those of today, null among them where it may be of no scorer;
    null where they are not known. Reads GRADING_STATE_COLUMNS.
    """
    codes = np.where(gradable.mask, _MISSING, _WAITING).astype(np.int8)
    places = gradable.grid.places(gradings)
    rows = _at(places, gradable.mask)
    graded = gradings["solution_hash"].take(pa.array(rows))
    now = gradable.fingerprints.take(pa.array(places[rows]))
    same = pc.equal(graded, now).fill_null(False).to_numpy()  # type: ignore[attr-defined]
    if gradable.rubrics is not None:
        shown = gradings["item_rubric_hash"].take(pa.array(rows))
        written = gradable.rubrics.take(pa.array(places[rows]))
        same &= pc.equal(shown, written).fill_null(False).to_numpy()  # type: ignore[attr-defined]
    found = np.where(same & ~_of_other_rules(gradings, versions)[rows], _DONE, _STALE)
    found[_is_set(gradings["error"])[rows]] = _ERRORED
    codes[places[rows]] = found
    return States(gradable.grid, codes)


def pending_cells(
    states: States, *, rerun_blank: bool, force: bool, skip_tried: bool = False
) -> Pending:
    """The pending cells.

    Forced and blank cells are asked afresh: the response cache would only repeat what is
    already there.
    """
    if force:
        every = states.codes >= _MISSING
        return Pending(states.grid, every, every)
    if skip_tried:
        untried = np.isin(states.codes, (_MISSING, _STALE))
        return Pending(states.grid, untried, np.zeros(len(states.grid), bool))
    blank = (states.codes == _BLANK) & rerun_blank
    others = np.isin(states.codes, (_MISSING, _ERRORED, _STALE))
    return Pending(states.grid, others | blank, blank)


def _at(places: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """int64[]: the rows whose cell is in the mask."""
    inside = np.flatnonzero(places >= 0)
    return inside[mask[places[inside]]]


def _of_other_rules(gradings: pa.Table, versions: Versions | None) -> np.ndarray:
    """bool[rows]: gradings by a scorer under other rules than those of today."""
    if versions is None:
        return np.zeros(gradings.num_rows, bool)
    known, found = pa.array(versions, pa.string()), gradings["scorer_version"]
    return ~pc.is_in(found, value_set=known).to_numpy()  # type: ignore[attr-defined]


def _is_set(column: pa.ChunkedArray) -> np.ndarray:
    return column.is_valid().to_numpy()


def _fingerprints(texts: pa.ChunkedArray) -> pa.Array:
    """`solution_fingerprint` of each text, from the bytes that the column has of it.

    Texts that are blank are empty here.
    """
    digests, size = [], _DIGITS // 2
    for chunk in texts.chunks:
        column = chunk.cast(pa.large_binary())
        _, ends, data = column.buffers()
        text = memoryview(data or b"")
        offsets = np.frombuffer(ends, np.int64)[column.offset :][: len(column) + 1].tolist()
        digests += [hashlib.sha256(text[a:b]).digest()[:size] for a, b in pairwise(offsets)]
    width = _DIGITS * np.arange(len(digests) + 1, dtype=np.int32)
    buffers = pa.py_buffer(width), pa.py_buffer(b"".join(digests).hex().encode())
    return pa.StringArray.from_buffers(len(digests), *buffers)


def _blank(texts: pa.ChunkedArray) -> np.ndarray:
    """bool[rows]: `is_blank` of each text."""
    shown = pc.match_substring_regex(texts, _VISIBLE).fill_null(False)  # type: ignore[attr-defined]
    blank = ~shown.to_numpy()
    unsure = np.flatnonzero(blank)
    blank[unsure] = [is_blank(text) for text in texts.take(pa.array(unsure)).to_pylist()]
    return blank
