"""reliability: where the noise comes from, and what other designs would reach."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.conditions.conditions import GradeCondition
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.measurement import (
    Components,
    MeasurementError,
    variance_components,
)

from .designs import GRADER, ITEM, REPLICATION, Design, designs
from .graders import by_scale, each_once
from .planned import PlannedCells, require_scores

__all__ = ["GraderReliability", "StudyReliability", "reliability"]

# The facets that a study has few levels of: these alone matter, unless they are said to be random.
FEW = ("prompt_name", "model_config_name", GRADER)


@dataclass(frozen=True, kw_only=True)
class GraderReliability:
    """The variance components of the scores of one grader, or of several that are crossed.

    `components` has a row per source; empty where `words` say why there are none.
    """

    graded_by: str
    object: str
    scale: tuple[float, float] | None
    facets: dict[str, int] = field(default_factory=dict)
    fixed: list[str] = field(default_factory=list)
    method: str | None = None
    reason: str | None = None
    n_events: int = 0
    n_missing: int = 0
    components: list[dict[str, Any]] = field(default_factory=list)
    designs: list[Design] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StudyReliability:
    """Variance components and decision studies, by grader."""

    study: str
    policy: str
    level: float
    cluster: str | None
    by_grader: list[GraderReliability]
    notes: list[str] = field(default_factory=list)


def reliability(
    planned: PlannedCells,
    graders: Collection[str],
    *,
    crossed: bool = False,
    random: Sequence[str] = (),
) -> StudyReliability:
    """The components of each grader; `crossed`: of all of one scale together, as a facet.

    Among others, a judge counts once, by the first of its chosen repeats. `random` names facets
    that are fixed by default (prompt, config, grader).
    """
    columns = [_column(name) for name in random]
    chosen = [one for one in planned.study.design.grade if one.id in graders]
    groups = by_scale(each_once(chosen)) if crossed else [[one] for one in chosen]
    alone = crossed and len(groups) > 1
    return StudyReliability(
        study=planned.study.name,
        policy=planned.policy_name,
        level=planned.level,
        cluster=planned.cluster,
        by_grader=[
            _of(planned, group, columns, _of_scale(group) if alone else ()) for group in groups
        ],
    )


def _column(name: str) -> str:
    known = {"prompt": FEW[0], "config": FEW[1], "grader": FEW[2]}
    if name not in known:
        raise ConfigError(f"random: {name!r} is no facet that is fixed; choose {', '.join(known)}")
    return known[name]


def _of_scale(graders: Sequence[GradeCondition]) -> Sequence[str]:
    """What is said of the graders of one scale beside those of others."""
    if len(graders) == 1:
        return ["No other grader has its scale: crossed with none."]
    return ["Crossed with graders of its scale only, as scores of another cannot be compared."]


def _of(
    planned: PlannedCells,
    graders: Sequence[GradeCondition],
    random: Sequence[str],
    said: Sequence[str],
) -> GraderReliability:
    cells = planned.of_graders(graders)
    facets = _facets(cells)
    known: dict[str, Any] = {
        "graded_by": ", ".join(one.label for one in graders),
        "object": facets[0],
        "scale": _shared_scale(graders),
    }
    fixed = [name for name in FEW if name in facets and name not in random]
    nests = {REPLICATION: [name for name in facets if name not in (REPLICATION, GRADER)]}
    try:
        require_scores(cells)
        found = variance_components(
            cells,
            facets,
            nested=nests if REPLICATION in facets else None,
            fixed=fixed,
            level=planned.level,
        )
    except MeasurementError as error:
        return GraderReliability(**known, words=[*said, str(error)])
    return GraderReliability(
        **known,
        facets={name: int(n) for name, n in found.n.items()},
        fixed=fixed,
        method=found.method,
        reason=found.reason,
        n_events=found.n_events,
        n_missing=found.n_missing,
        components=_rows(found),
        designs=list(designs(found)),
        words=[*said, *found.warnings, *_of_clusters(planned)],
    )


def _of_clusters(planned: PlannedCells) -> Iterator[str]:
    if planned.cluster:
        yield (
            f"Items are taken for independent here, also those of one {planned.cluster}"
            " (measurement.cluster): errors of a study with clusters are larger. `scores` and"
            " `compare` allow for them."
        )


def _facets(cells: pa.Table) -> list[str]:
    """The object first: models, or conditions where there is one model. Facets of one level go."""
    several = {
        name: len(cells[name].unique()) > 1
        for name in ("model", "gen_condition_id", ITEM, *FEW, REPLICATION)
    }
    if several["model"] or not several["gen_condition_id"]:
        first, others = "model", FEW
    else:
        first, others = "gen_condition_id", (GRADER,)
    return [first, ITEM, *(name for name in (*others, REPLICATION) if several[name])]


def _shared_scale(graders: Sequence[GradeCondition]) -> tuple[float, float] | None:
    scales = {one.grader.scale for one in graders}
    return scales.pop() if len(scales) == 1 else None


def _rows(found: Components) -> list[dict[str, Any]]:
    """The table as plain records; the share is that of the sum of all components."""
    total = float(found.table["variance"].sum())
    rows = found.table.astype(object).where(found.table.notna(), None).to_dict("records")
    return [
        {**{str(name): value for name, value in row.items()}, "share": _share(row, total)}
        for row in rows
    ]


def _share(row: Mapping[Any, Any], total: float) -> float | None:
    return float(row["variance"]) / total if total else None
