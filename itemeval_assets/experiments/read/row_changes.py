"""Rows of two frames of one name, known by the levels of their index: which differ, and where."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np
import pandas as pd

from .preview import IDS, plain

# What a run numbers: specs in another order are the same specs.
_NUMBERED = (*IDS, "sort_index")
# Of errors: its lines are those of the code, which another version has elsewhere.
_LEFT_OUT = ("traceback",)
_SHOWN = 20


@dataclass(frozen=True)
class Difference:
    """A value that differs: of which row, in which column."""

    row: dict[str, Any]
    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class RowChanges:
    """What differs between two frames.

    `columns_changed`: {column: (type before, after)}. `changed`: rows that are in both and
    differ; `values`: {column: how many of its values differ}. `first_...`: the first of them.
    """

    rows_before: int
    rows_after: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns_added: list[str] = field(default_factory=list)
    columns_removed: list[str] = field(default_factory=list)
    columns_changed: dict[str, tuple[str, str]] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    first_added: list[dict[str, Any]] = field(default_factory=list)
    first_removed: list[dict[str, Any]] = field(default_factory=list)
    first_changed: list[Difference] = field(default_factory=list)

    def __bool__(self) -> bool:
        columns = self.columns_added or self.columns_removed or self.columns_changed
        return bool(self.added or self.removed or self.changed or columns)


def row_changes(before: pd.DataFrame, after: pd.DataFrame) -> RowChanges:
    """What differs between two frames, row by row.

    A row is known by the levels that both frames have, ids and numbers of runs left out; rows that
    are alike in these are matched in their order. Where no level is left, the number of the spec
    is what it is known by. A frame without levels has rows that are in both, or in one.
    """
    levels = _levels(before, after)
    columns = [name for name in before.columns if name in after.columns and name not in _LEFT_OUT]
    if levels:
        old, new = (_places(_values(frame, levels)) for frame in (before, after))
    else:
        old, new = (_places([kinds]) for kinds in _kinds(before, after, columns))
    both = [key for key in old if key in new]
    was = before.iloc[[old[key] for key in both]]
    became = after.iloc[[new[key] for key in both]]
    differs = {name: _differs(was[name], became[name]) for name in columns}
    differs = {name: found for name, found in differs.items() if found.any()}
    rows = np.logical_or.reduce([*differs.values()]) if differs else np.zeros(len(both), bool)
    return RowChanges(
        rows_before=len(before),
        rows_after=len(after),
        added=len(new) - len(both),
        removed=len(old) - len(both),
        changed=int(rows.sum()),
        columns_added=[str(name) for name in after.columns if name not in before.columns],
        columns_removed=[str(name) for name in before.columns if name not in after.columns],
        columns_changed={
            str(name): (str(was[name].dtype), str(became[name].dtype))
            for name in columns
            if was[name].dtype != became[name].dtype
        },
        values={str(name): int(found.sum()) for name, found in differs.items()},
        first_added=_first_of(levels, new, old),
        first_removed=_first_of(levels, old, new),
        first_changed=[
            Difference(
                _told(levels, both[place], place),
                str(name),
                plain(was[name].iat[place]),
                plain(became[name].iat[place]),
            )
            for place, name in islice(_differing(rows, differs), _SHOWN)
        ],
    )


def _levels(before: pd.DataFrame, after: pd.DataFrame) -> list[Any]:
    shared = [name for name in before.index.names if name and name in after.index.names]
    own = [name for name in shared if name not in _NUMBERED]
    # Rows of a spec are numbered, too; but that alone knows no spec.
    return own if set(own) - {"sort_subindex"} else [*(n for n in shared if n not in IDS)]


def _values(frame: pd.DataFrame, levels: list[Any]) -> list[list[Any]]:
    return [frame.index.get_level_values(name).tolist() for name in levels]


def _kinds(before: pd.DataFrame, after: pd.DataFrame, columns: list[Any]) -> list[list[int]]:
    """A number for each row of two frames: rows that are alike in these columns have the same."""
    kinds = np.zeros(len(before) + len(after), dtype=np.int64)
    for name in columns:
        numbers: dict[Any, int] = {}
        values = chain(before[name].tolist(), after[name].tolist())
        found = [numbers.setdefault(_comparable(value), len(numbers)) for value in values]
        kinds = np.unique(kinds * (len(numbers) + 1) + found, return_inverse=True)[1]
    return [kinds[: len(before)].tolist(), kinds[len(before) :].tolist()]


def _places(columns: list[list[Any]]) -> dict[tuple[Any, ...], int]:
    """{what a row is known by, and how often that came before: number of the row}."""
    seen: Counter[tuple[Any, ...]] = Counter()
    places = {}
    for place, values in enumerate(zip(*columns, strict=True)):
        key = tuple(map(_comparable, values))
        places[*key, seen[key]] = place
        seen[key] += 1
    return places


def _first_of(
    levels: list[Any], places: dict[tuple[Any, ...], int], others: dict[tuple[Any, ...], int]
) -> list[dict[str, Any]]:
    """The first rows that the others have not."""
    alone = ((key, place) for key, place in places.items() if key not in others)
    return [_told(levels, key, place) for key, place in islice(alone, _SHOWN)]


def _told(levels: list[Any], key: tuple[Any, ...], place: int) -> dict[str, Any]:
    """What a row is known by; without levels, its place."""
    if not levels:
        return {"row": place}
    return {str(name): plain(value) for name, value in zip(levels, key[:-1], strict=True)}


def _differs(before: pd.Series, after: pd.Series) -> np.ndarray:
    """Which values differ. Nulls are alike, and so are integers and decimals of one value."""
    kind = before.dtype
    if isinstance(kind, np.dtype) and kind == after.dtype and kind.kind in "fiub":
        old, new = before.to_numpy(), after.to_numpy()
        return (old != new) & ~(pd.isna(old) & pd.isna(new))
    pairs = zip(before.tolist(), after.tolist(), strict=True)
    return np.array([_comparable(old) != _comparable(new) for old, new in pairs], dtype=bool)


def _comparable(value: Any) -> Any:
    """A value that equals those like it, and that a dict may be keyed by; NaN equals nothing."""
    if isinstance(value, str | int) or (isinstance(value, float) and not math.isnan(value)):
        return value
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(map(_comparable, value))
    if isinstance(value, dict):
        return tuple((name, _comparable(inner)) for name, inner in value.items())
    return None if value is None or pd.isna(value) else value


def _differing(rows: np.ndarray, differs: dict[Any, np.ndarray]) -> Iterator[tuple[int, Any]]:
    """(row, column) of what differs, row by row."""
    for place in np.flatnonzero(rows):
        yield from ((int(place), name) for name, found in differs.items() if found[place])
