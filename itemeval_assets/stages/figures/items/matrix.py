"""The response matrix: what each respondent scored on each item, or why there is no score."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.cells import CellState
from itemeval_assets.measurement import MeasurementError

from ..planned import NOT_PLANNED, PlannedCells

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PERSONS", "Persons", "ResponseMatrix", "matrix_of", "response_table", "states_of"]

Persons = Literal["conditions", "replications"]
PERSONS: tuple[Persons, ...] = ("conditions", "replications")
_CELL = ["gen_condition_id", "replication", "item_id", "score", "state"]


@dataclass(frozen=True, kw_only=True)
class ResponseMatrix:
    """A response matrix with what it leaves out.

    `rows`: for each person `condition`, `replication` where replications are persons, `values` by
    item, null where there is none, and how many `cells` it has, `scored` or `left_out` by state.
    `items` are the columns. `left_out` is of all persons, also of those without any score.
    """

    study: str
    policy: str
    graded_by: str
    scale: tuple[float, float] | None
    persons: Persons
    replications: int
    passes: float | None
    shows_states: bool
    items: list[str]
    rows: list[dict[str, Any]]
    left_out: dict[str, int]
    notes: list[str] = field(default_factory=list)


def matrix_of(
    planned: PlannedCells,
    grader: GradeCondition,
    passes: float | None = None,
    persons: Persons = "conditions",
) -> "pd.DataFrame":
    """Persons x items, in the order of the study: scores, NaN where there is none.

    Persons and items without any score are left out. Raises MeasurementError where no cell has one.
    """
    scores = _wide(planned, grader, persons, "score")
    found = scores.dropna(axis=0, how="all").dropna(axis=1, how="all")
    if not found.size:
        raise MeasurementError("No cell has a score.")
    return found if passes is None else found.ge(passes).astype(float).where(found.notna())


def states_of(
    planned: PlannedCells, grader: GradeCondition, persons: Persons = "conditions"
) -> "pd.DataFrame":
    """Persons x items: the states of all planned cells; `done` is where there is a score."""
    return _wide(planned, grader, persons, "state").fillna(NOT_PLANNED)


def response_table(
    planned: PlannedCells,
    grader: GradeCondition,
    passes: float | None,
    persons: Persons,
    *,
    shows_states: bool,
) -> ResponseMatrix:
    """The matrix as plain records. Raises ConfigError where an item is named as another column."""
    states = states_of(planned, grader, persons)
    shown = states if shows_states else matrix_of(planned, grader, passes, persons)
    _require_names(shown)
    found_states = dict(zip(states.index, _rows(states), strict=True))
    values = _rows(shown.astype(object).where(shown.notna(), None))
    rows = [
        _record(shown, person, row, found_states[person])
        for person, row in zip(shown.index, values, strict=True)
    ]
    return ResponseMatrix(
        study=planned.study.name,
        policy=planned.policy_name,
        graded_by=grader.label,
        scale=grader.grader.scale,
        persons=persons,
        replications=planned.replications,
        passes=passes,
        shows_states=shows_states,
        items=shown.columns.tolist(),
        rows=rows,
        left_out=_left_out(state for row in found_states.values() for state in row),
    )


def _wide(
    planned: PlannedCells, grader: GradeCondition, persons: Persons, values: str
) -> "pd.DataFrame":
    """One column of the cells, as persons x items.

    Of several replications of a condition the first with a score counts, else the first.
    """
    if persons not in PERSONS:
        there_are = ", ".join(PERSONS)
        raise ConfigError(f"persons: there is no {persons!r}; there are: {there_are}")
    names = ["condition"] if persons == "conditions" else ["condition", "replication"]
    everyone = planned.study.design.generate_by_id
    cells = planned.of_grader(grader, everyone).select(_CELL).to_pandas()
    cells = cells.rename(columns={"gen_condition_id": "condition"})
    texts = ["condition", "item_id", "state"]
    cells = cells.astype(dict.fromkeys(texts, object))
    cells["silent"] = cells["score"].isna()
    cells = cells.sort_values(["silent", "replication"], kind="stable")
    first = cells.drop_duplicates([*names, "item_id"]).set_index([*names, "item_id"])
    found = first[values].unstack("item_id")
    items = [item for item in planned.items["item_id"].to_pylist() if item in found.columns]
    found = found[items].sort_index(level=names[1:]) if names[1:] else found[items]
    order = {one.label: place for place, one in enumerate(planned.study.design.generate)}
    place = found.index.get_level_values("condition").map(order)
    return found.iloc[place.argsort(kind="stable")]


def _require_names(table: "pd.DataFrame") -> None:
    for name in table.index.names:
        if name in table.columns:
            raise ConfigError(
                f"an item has the id {name!r}, which is the name of another column of the response"
                " matrix: give this item another id"
            )


def _rows(table: "pd.DataFrame") -> list[list[Any]]:
    return table.to_numpy(dtype=object).tolist()


def _record(
    table: "pd.DataFrame", person: Any, values: list[Any], states: list[str]
) -> dict[str, Any]:
    names = person if isinstance(person, tuple) else (person,)
    left_out = _left_out(states)
    return {
        **dict(zip(map(str, table.index.names), names, strict=True)),
        "cells": len(states),
        "scored": len(states) - sum(left_out.values()),
        "left_out": left_out,
        "values": dict(zip(table.columns, values, strict=True)),
    }


def _left_out(states: Iterable[str]) -> dict[str, int]:
    return dict(Counter(state for state in states if state != CellState.done))
