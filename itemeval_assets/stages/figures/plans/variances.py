"""The variances that a study plans with: of its stored rows, or stated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.text.words import counted
from itemeval_assets.measurement import MeasurementError, PairedVariances, paired_variances

from ..comparisons.named import meant
from ..comparisons.records import COLUMNS
from ..planned import PlannedCells, require_scores

__all__ = ["Pair", "pair_of", "variances_of"]

CONDITION = COLUMNS["condition"]
_MOST_CONDITIONS = 100
# As a share of the squared scale: what floats leave behind them.
_NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Pair:
    """Two conditions by their labels, or all pairs of them. `words`: as people read it."""

    a: str | None = None
    b: str | None = None
    taken: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"{self.a} and {self.b}" if self.a else "two conditions"


def pair_of(planned: PlannedCells, a: str | None, b: str | None) -> Pair:
    """Raises ConfigError for a name of no condition, and MeasurementError for too many pairs."""
    design = planned.study.design
    if a is not None and b is not None:
        facet, first, other, taken = meant(design, a, b)
        names = (_condition_of(planned, facet, level) for level in (first, other))
        return Pair(next(names), next(names), tuple(taken))
    n = len(design.generate)
    if n < 2:
        raise MeasurementError(
            "The study has one condition: a plan is for a difference of two. Add a model, a prompt"
            " or a config."
        )
    if n > _MOST_CONDITIONS:
        raise MeasurementError(
            f"{n:,} conditions have {n * (n - 1) // 2:,} pairs: all pairs are for up to"
            f" {_MOST_CONDITIONS}. Name two."
        )
    return Pair()


def _condition_of(planned: PlannedCells, facet: str, level: str) -> str:
    """The condition that has this level; a level of several is no design by itself."""
    design = planned.study.design
    found = [
        one.label
        for one in design.generate
        if level in (one.label, one.model, one.prompt.name, one.model_config_name)
    ]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(found[:5]) or "none"
    raise MeasurementError(f"The {facet} {level} is {len(found)} conditions: name one of {listed}.")


def variances_of(
    planned: PlannedCells, judge: GradeCondition, pair: Pair, stated: Mapping[str, Any]
) -> PairedVariances:
    """By one grader, with its repeats.

    Raises MeasurementError where too little is stored, and where nothing varies.
    """
    if stated:
        found = PairedVariances(**{name: stated[name] for name in _of_grader(judge, stated)})
        _require_spread(found, judge, "the variances that are stated add up to none")
        return found
    repeats = planned.study.design.repeats_of(judge)
    cells = _with_repeats(planned.of_graders(repeats), repeats)
    cells = cells.filter(pc.is_valid(cells["score"]))  # type: ignore[attr-defined]
    if not cells.num_rows:
        raise MeasurementError("No cell has a score.")
    require_scores(cells)
    graders = [one.label for one in repeats if one.label in _labels(cells)]
    found = paired_variances(
        cells,
        pair.a,
        pair.b,
        object=CONDITION,
        repeat="repeat",
        cluster=planned.checked_cluster,
        grader=graders,
    )
    what = f"all differences on these {counted(found.n_items, 'item')} are the same"
    _require_spread(found, judge, what)
    return found


def _require_spread(found: PairedVariances, judge: GradeCondition, what: str) -> None:
    """Without any spread each design would find each difference, down to a few items."""
    low, high = judge.grader.scale or (0.0, 1.0)
    if found.of_item(found.replications, found.repeats) <= _NO_SPREAD * (high - low) ** 2:
        raise MeasurementError(
            f"By {judge.label} {what}, so nothing tells which design finds what: run more items,"
            " or harder ones, or state a variance above 0 (omega2)."
        )


def _of_grader(judge: GradeCondition, stated: Mapping[str, Any]) -> list[str]:
    """Only a judge has repeats: a scorer gives an answer one score, and people rate it once."""
    return [name for name in stated if name != "judge2" or judge.grader.asked]


def _labels(cells: pa.Table) -> set[str]:
    return set(cells["grade_condition_id"].unique().to_pylist())


def _with_repeats(cells: pa.Table, repeats: Sequence[GradeCondition]) -> pa.Table:
    """With the number of the repeat of each row."""
    labels = pa.array([one.label for one in repeats], pa.string())
    numbers = np.array([one.grader.repeat for one in repeats])
    names = cells["grade_condition_id"].cast(pa.string())
    place = pc.index_in(names, value_set=labels).to_numpy()  # type: ignore[attr-defined]
    return cells.append_column("repeat", pa.array(numbers[place]))
