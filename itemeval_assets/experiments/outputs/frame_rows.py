"""A user's frame as the rows that are stored: columns, and index levels of its own."""

import math
from collections import Counter
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.frames.columns import build, is_storable
from itemeval_assets.experiments.frames.kinds_of_values import kind_of
from itemeval_assets.experiments.spec.index import SUBINDEX, UNNAMED
from itemeval_assets.experiments.spec.values import is_text, plain

from .outcomes import FrameRows

# Kinds of numpy that Arrow has, up to 64 bits: booleans, numbers, instants, durations.
_PLAIN = "biufMm"
_KNOWN = (bytes, date, time, timedelta, Decimal)


def frame_rows(frame: pd.DataFrame, levels: dict[str, Any]) -> FrameRows:
    """The rows of a frame that belongs to the spec with these index levels.

    Levels of the spec that the frame repeats are left to the spec; named levels beside them are
    kept, and so is an unnamed index unless it is 0 to n-1 in order.

    Raises SpecError for a column, or a level of another value, that has the name of one of the
    spec's levels, and for two columns of one name.
    """
    names = _column_names(frame)
    clash = [name for name in names if name in levels or name == SUBINDEX]
    if clash:
        raise SpecError(
            f"the column {clash[0]!r} has the name of an index level of the spec; give it "
            "another name, or drop it: the index holds the value"
        )
    before, after = _own_levels(frame.index, levels, names)
    if both := sorted((before.keys() | after.keys()) & set(names)):
        raise SpecError(f"{both[0]!r} is a column and an index level; rename one of them")
    arrays = dict(zip(names, _column_arrays(frame), strict=True))
    arrays |= {name: _named_array(name, values) for name, values in (before | after).items()}
    if not arrays and len(frame):
        raise SpecError("the frame has rows but no columns; give it a column or an index name")
    return FrameRows(pa.table(arrays), tuple(before), tuple(after))


def _column_names(frame: pd.DataFrame) -> list[str]:
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        doubled = next(name for name, count in Counter(names).items() if count > 1)
        raise SpecError(f"two columns have the name {doubled!r}; rename one of them")
    if no_text := [name for name in (*names, *map(str, frame.index.names)) if not is_text(name)]:
        raise SpecError(f"the name {no_text[0]!r} holds half a character; rename it")
    return names


def _column_arrays(frame: pd.DataFrame) -> list[pa.Array]:
    """The columns in order. Those of one numpy type are taken as one block: frames may be wide."""
    arrays: dict[int, pa.Array] = {}
    blocks: dict[np.dtype, list[int]] = {}
    for place, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, np.dtype) and dtype.kind in _PLAIN and dtype.itemsize <= 8:
            blocks.setdefault(dtype, []).append(place)
    alone = set(range(frame.shape[1])).difference(*blocks.values())
    for place, (name, values) in enumerate(frame.items() if alone else ()):
        if place in alone:
            arrays[place] = _named_array(name, values)
    for dtype, places in blocks.items():
        block = np.ascontiguousarray(frame.iloc[:, places].to_numpy().T, dtype.newbyteorder("="))
        found = (pa.array(values, from_pandas=True) for values in block)
        arrays.update(zip(places, found, strict=True))
    return [arrays[place] for place in range(frame.shape[1])]


def _own_levels(
    index: pd.Index, levels: dict[str, Any], columns: list[str]
) -> tuple[dict[str, pd.Index], dict[str, pd.Index]]:
    """Levels that are not the spec's: (before the row number, after it).

    An index made by `make_multiindex` has its additional levels before the row number.
    """
    before: dict[str, pd.Index] = {}
    after: dict[str, pd.Index] = {}
    own = after if not set(index.names) & levels.keys() else before
    for place, given in enumerate(index.names):
        values = index.get_level_values(place)
        if given is None and _numbers_rows(values):
            continue
        name = _unnamed(index, place, {*levels, *columns}) if given is None else str(given)
        if name == SUBINDEX and own is before:
            own = after
        elif name in levels:
            _require_value(values, name, levels[name])
        elif name == SUBINDEX or name in before or name in after:
            raise SpecError(f"the index level {name!r} is there already; give it another name")
        else:
            own[name] = values
    return before, after


def _numbers_rows(values: pd.Index) -> bool:
    """Whether these are 0 to n-1, in order."""
    if not pd.api.types.is_integer_dtype(values.dtype):
        return False
    return np.array_equal(values.to_numpy("int64", na_value=-1), np.arange(len(values)))


def _unnamed(index: pd.Index, place: int, taken: set[str]) -> str:
    """The name of a level without one, as pandas gives it."""
    return UNNAMED if index.nlevels == 1 and UNNAMED not in taken else f"level_{place}"


def _require_value(values: pd.Index, name: str, value: Any) -> None:
    same = values.isna() if pd.isna(value) else values == value
    if not np.all(same):
        raise SpecError(
            f"the index level {name!r} has the name of a level of the spec, whose value is "
            f"{value!r}; give it another name, or take it from spec.make_multiindex()"
        )


def _named_array(name: Any, values: pd.Series | pd.Index) -> pa.Array:
    """A column as Arrow. Raises SpecError, naming it, for a value that has no form at all."""
    try:
        return _array(values)
    except (pa.ArrowException, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise SpecError(f"{str(name)!r} cannot be stored: {error}; give it as text") from error


def _array(values: pd.Series | pd.Index) -> pa.Array:
    """A column as Arrow: typed ones as they are, others as the type that holds all values."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.array.codes
        return _array(values.array.categories).take(pa.array(codes, mask=codes < 0))
    if values.dtype != object:
        try:
            is_arrow = hasattr(values.array, "__arrow_array__")
            array = pa.array(values.array) if is_arrow else pa.Array.from_pandas(values)
            chunk = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
            if is_storable(chunk.type):
                return chunk
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            pass  # typed values that Arrow does not know: each is looked at
    cells = [_cell(value) for value in values]
    return build(cells, kind_of(cells).arrow())


def _cell(value: Any) -> Any:
    """A plain value. As in any column of a frame, NaN is a missing value."""
    found = plain(value, _leaf)
    if isinstance(found, Decimal):
        return None if found.is_nan() else found
    return None if isinstance(found, float) and math.isnan(found) else found


def _leaf(value: Any) -> Any:
    """What a kind knows, as it is; anything else is its text."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    return value if isinstance(value, _KNOWN) else str(value)
