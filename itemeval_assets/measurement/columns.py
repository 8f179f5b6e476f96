"""From the columns of any frame to arrays: checked, coded, and nothing dropped in silence."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .records import MeasurementError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Frame: TypeAlias = "pd.DataFrame | pa.Table"
else:
    Frame = Any

GRADE_CONDITION = "grade_condition_id"
# What people call a grade condition, from the narrowest name to the widest.
GRADER_NAMES = (
    GRADE_CONDITION,
    "grade_condition_slug",
    "grader_name",
    "scorer_name",
    "grader_model",
    "rubric_name",
)
KEY = ("gen_condition_id", GRADE_CONDITION, "item_id", "replication")
# What tells the answers to an item apart, besides their replication.
CONDITION = ("gen_condition_id", "model", "prompt_name", "model_config_name")
_SHOWN = 5
# Up to so many possible keys a row, keys are counted and not sorted.
_DENSE = 8


@dataclass(frozen=True)
class Codes:
    """A column as numbers: `codes` points into `labels`, which are sorted; -1 is empty."""

    codes: np.ndarray
    labels: list[Any]

    def __len__(self) -> int:
        return len(self.labels)


class Remembered:
    """A frame whose columns are coded once, however often one call asks for them."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.coded: dict[str, Codes] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, name: str) -> Any:
        return self.frame[name]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.frame, name)


def names(frame: Frame) -> list[str]:
    """The columns of a frame."""
    if hasattr(frame, "column_names"):
        return list(frame.column_names)
    if hasattr(frame, "columns"):
        return [str(name) for name in frame.columns]
    kind = type(frame).__name__
    raise MeasurementError(f"a frame is a pandas DataFrame or a pyarrow Table, not a {kind}")


def column_of(frame: Frame, name: str) -> Any:
    """A column of a frame that has rows."""
    known = names(frame)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(known)}."
        raise MeasurementError(f"The frame has no column {name!r}. {hint}")
    if not len(frame):
        raise MeasurementError("The frame has no rows: there is nothing to measure.")
    if known.count(name) > 1:
        raise MeasurementError(f"The frame has {known.count(name)} columns {name!r}: keep one.")
    return frame[name]


def codes(frame: Frame, name: str) -> Codes:
    """A column of any kind as codes of its sorted labels, so that row order does not matter."""
    if not isinstance(frame, Remembered):
        return _codes(frame, name)
    if name not in frame.coded:
        frame.coded[name] = _codes(frame, name)
    return frame.coded[name]


def _codes(frame: Frame, name: str) -> Codes:
    column = column_of(frame, name)
    if hasattr(frame, "column_names"):
        coded = _encoded(column, name)
        found = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        labels = coded.dictionary.to_pylist()
    else:
        import pandas as pd

        try:
            found, unique = pd.factorize(column)
        except TypeError as error:
            raise _no_labels(name) from error
        labels = unique.tolist()
    are_texts = set(map(type, labels)) == {str}
    keys = labels if are_texts else [_sort_key(label) for label in labels]
    order = sorted(range(len(labels)), key=keys.__getitem__)
    rank = np.empty(len(labels) + 1, dtype=np.int64)
    rank[order] = np.arange(len(labels))
    rank[-1] = -1
    return Codes(rank[found], [labels[place] for place in order])


def _encoded(column: "pa.ChunkedArray", name: str) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        # A dictionary may hold labels that no row has, as where rows were left out.
        column = column.cast(column.type.value_type)
    try:
        return column.combine_chunks().dictionary_encode()
    except pa.ArrowNotImplementedError as error:
        raise _no_labels(name) from error


def _no_labels(name: str) -> MeasurementError:
    return MeasurementError(
        f"Column {name!r} holds lists or mappings, which are no labels: make texts or numbers of"
        " them."
    )


def _sort_key(label: Any) -> tuple[int, Any]:
    is_number = isinstance(label, int | float | Decimal)
    return (0, label) if is_number else (1, str(label))


def full_codes(frame: Frame, name: str) -> Codes:
    """As `codes`, of a column that must have a value in every row."""
    found = codes(frame, name)
    empty = np.flatnonzero(found.codes < 0)
    if len(empty):
        rows = ", ".join(str(row) for row in empty[:_SHOWN])
        raise MeasurementError(
            f"Column {name!r} is empty in {len(empty):,} of {len(found.codes):,} rows (the first:"
            f" {rows}). Fill it, or leave these rows out."
        )
    return found


def place_of(labels: Codes, value: Any, column: str) -> int:
    """Where a value is among the labels of a column."""
    if value in labels.labels:
        return labels.labels.index(value)
    raise MeasurementError(
        f"{value!r} is no value of {column!r}. It has: {shortened(labels.labels)}."
    )


def shortened(labels: Sequence[Any], shown: int = 20) -> str:
    """A list of labels for a message."""
    listed = ", ".join(str(label) for label in labels[:shown])
    return f"{listed}, and {len(labels) - shown:,} more" if len(labels) > shown else listed


def is_empty(value: Any) -> bool:
    """Whether one value stands for none: None, NaN, or the null of pandas."""
    if isinstance(value, float):
        return isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def is_blank(value: Any) -> bool:
    """Whether a label stands for none: empty, or a text of nothing but spaces."""
    return is_empty(value) or (isinstance(value, str) and not value.strip())


def counted(count: int, word: str) -> str:
    """A number with its noun: 1 item, 1,200 items."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def compact(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of codes as one code: the sorted distinct keys, and each row's place among them.

    A key is read back with `np.unravel_index`; see `spans`.
    """
    key, size = columns[0].astype(np.int64), spans(columns[0])[0]
    for column, span in zip(columns[1:], spans(*columns)[1:], strict=True):
        key, size = key * span + column, size * span
    if size > _DENSE * len(key) or (len(key) and key.min() < 0):
        return np.unique(key, return_inverse=True)
    # Counting needs no sorting where most keys that there could be are there.
    is_there = np.zeros(size, dtype=bool)
    is_there[key] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[key]


def spans(*columns: np.ndarray) -> list[int]:
    """How many values each column of codes may have."""
    return [int(column.max(initial=-1)) + 1 for column in columns]


def refuse_repeated_rows(frame: Frame) -> None:
    """A grading event given twice would count twice. Frames without the full key pass."""
    if not set(KEY) <= set(names(frame)):
        return
    keys, places = compact(*(codes(frame, name).codes + 1 for name in KEY))
    repeated = len(places) - len(keys)
    if repeated:
        raise MeasurementError(
            f"{repeated:,} rows repeat another one in {', '.join(KEY)}: leave them out."
        )
