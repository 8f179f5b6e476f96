"""The first rows of a frame as plain records, whatever its values and names are."""

import math
from typing import Any

import numpy as np
import pandas as pd

# Levels that say nothing of a spec.
IDS = ("experiment_id", "workflow_run_id", "root_workflow_run_id")
# JSON readers, as browsers, take larger integers for floats.
_EXACT = 2**53


def preview(
    frame: pd.DataFrame, hidden: tuple[str, ...] = (), first: tuple[str, ...] = ()
) -> tuple[list[str], list[list[Any]]]:
    """(names, rows): levels of the index, but for ids of runs, then columns.

    `first` come before all others. A column that bears the name of a level is told apart.
    """
    index, names, values = frame.index, [], []
    for place, level in enumerate(index.names):
        if level is not None and level not in (*IDS, *hidden):
            names.append(str(level))
            values.append(index.get_level_values(place).tolist())
    for place, column in enumerate(frame.columns):
        if column not in hidden:
            names.append(_unlike(str(column), names))
            values.append(frame.iloc[:, place].tolist())
    order = sorted(range(len(names)), key=lambda place: _rank(names[place], first))
    rows = [[plain(values[place][row]) for place in order] for row in range(len(frame))]
    return [names[place] for place in order], rows


def plain(value: Any) -> str | int | float | bool:
    """A value as JSON and tables of the UI hold it; what they cannot hold is text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, str) else str(value)


def _unlike(name: str, taken: list[str]) -> str:
    while name in taken:
        name = f"{name} (column)"
    return name


def _rank(name: str, first: tuple[str, ...]) -> int:
    return first.index(name) if name in first else len(first)
