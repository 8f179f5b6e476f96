"""drift: what changed since a study was asked first, by each grader."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from itemeval_assets.core.design.conditions.conditions import GenerateCondition, GradeCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.words import counted
from itemeval_assets.measurement import MeasurementError

from ..comparisons.records import chosen_of
from ..comparisons.remarks import bounded, words_of
from ..planned import PlannedCells, require_measurable
from .changes import Change, Measured, as_family, judge_change, model_change
from .records import GraderDrift, StudyDrift
from .remarks import of_models, of_templates, of_times

if TYPE_CHECKING:
    from itemeval_assets.measurement import Difference

__all__ = ["drift", "require_later_times"]

_BOTH = (
    "The answers and the judge are both of another time: nobody can tell which of them changed. "
    "`run --rejudge {name}` has the judge grade the first answers again, which tells."
)


def drift(planned: PlannedCells, graders: Collection[str]) -> StudyDrift:
    """The changes of each model and each judge."""
    chosen = [one for one in chosen_of(planned, graders) if one.rejudge is None]
    return StudyDrift(
        study=planned.study.name,
        policy=planned.policy_name,
        level=planned.level,
        cluster=planned.cluster,
        by_grader=[_of_grader(planned, one) for one in chosen],
        words=[*of_models(planned), *of_templates(planned), *planned.about_mocks],
    )


def require_later_times(study: Study) -> None:
    """Raise ConfigError where a study has been asked at one time only."""
    if not (study.config.waves or study.config.rejudges):
        raise ConfigError(
            f"{study.config_path}: this study has no later time. `run --wave NAME` asks all models "
            "again, and `run --rejudge NAME` has the judges grade the first answers again"
        )


def _of_grader(planned: PlannedCells, grader: GradeCondition) -> GraderDrift:
    again = _graded_again(planned, grader)
    found: list[Change] = []
    left_out: list[tuple[str, str]] = []
    words: list[str] = []
    for one in again.values():
        try:
            difference, said = _of_judge(planned, grader, one)
        except MeasurementError as error:
            left_out.append((one.label, str(error)))
            continue
        time = one.rejudge.name if one.rejudge else ""
        found.append(Change(time=time, of="judge", condition=None, difference=difference))
        words += said
    for wave in planned.study.design.generate:
        if wave.wave is None:
            continue
        try:
            change, said = _of_wave(planned, grader, wave, again.get(wave.wave.name))
        except MeasurementError as error:
            left_out.append((wave.label, str(error)))
            continue
        found.append(change)
        words += said
    scale = grader.grader.scale
    family = as_family(found, scale) if found else []
    words += words_of(planned, [one.difference for one in family], scale)
    return GraderDrift(
        graded_by=grader.label,
        scale=scale,
        changes=family,
        left_out=left_out,
        words=list(dict.fromkeys(words)),
    )


def _graded_again(planned: PlannedCells, grader: GradeCondition) -> Mapping[str, GradeCondition]:
    """The later times at which a judge grades the first answers again, by name."""
    return {
        one.rejudge.name: one
        for one in planned.study.design.grade
        if one.rejudge
        and (one.first_id, one.grader.repeat) == (grader.first_id, grader.grader.repeat)
    }


def _of_judge(
    planned: PlannedCells, grader: GradeCondition, again: GradeCondition
) -> "tuple[Difference, list[str]]":
    """The first answers of all conditions: judged again, less judged then."""
    design = planned.study.design
    later, earlier = (
        pa.concat_tables([_cells(planned, first, one) for first in design.first_asked])
        for one in (again, grader)
    )
    if later["score"].null_count == later.num_rows:
        raise MeasurementError(f"{again.label} has no score yet.")
    require_measurable(later)
    found = judge_change(later, earlier, (again.label, grader.label), _how(planned, grader))
    missing = later["score"].null_count
    said = [f"{again.label}: {counted(missing, 'answer')} without a score: left out."]
    return bounded(found), said if missing else []


def _of_wave(
    planned: PlannedCells,
    grader: GradeCondition,
    wave: GenerateCondition,
    again: GradeCondition | None,
) -> tuple[Change, list[str]]:
    """New answers less the first ones: both judged at the later time, where they can be."""
    assert wave.wave
    first = planned.study.design.generate_by_id[wave.first_id]
    fixed = not (grader.grader.asked or grader.grader.by_people)
    can_tell = fixed or again is not None
    later, earlier = _cells(planned, wave, grader), _cells(planned, first, again or grader)
    for label, rows in ((wave.label, later), (first.label, earlier)):
        if rows["score"].null_count == rows.num_rows:
            raise MeasurementError(f"{label} has no score by {(again or grader).label} yet.")
        require_measurable(rows)
    found = model_change(later, earlier, (wave.label, first.label), _how(planned, grader))
    said = [] if can_tell else [_BOTH.format(name=wave.wave.name)]
    if again:
        said += of_times(planned, Partition((wave.id, grader.id)), Partition((first.id, again.id)))
    of = "model" if can_tell else "both"
    change = Change(time=wave.wave.name, of=of, condition=first.label, difference=bounded(found))
    return change, said


def _how(planned: PlannedCells, grader: GradeCondition) -> Measured:
    return Measured(planned.checked_cluster, grader.grader.scale, planned.level)


def _cells(planned: PlannedCells, generate: GenerateCondition, grade: GradeCondition) -> pa.Table:
    partition = Partition((generate.id, grade.id))
    [(_, rows)] = planned.by_partition([partition], tags=planned.own_columns)
    return rows
