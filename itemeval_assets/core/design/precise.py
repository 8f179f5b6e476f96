"""Which scores `precision` asks for, and whether they can become as precise."""

from collections.abc import Sequence

from itemeval_assets.core.config.sections import PrecisionConfig
from itemeval_assets.core.errors import ConfigError

from .conditions.conditions import Design, GradeCondition
from .partitions import Partition
from .selection import Selection, select_grade


def metrics_of(design: Design, asked: PrecisionConfig) -> list[GradeCondition]:
    """The graders whose scores must be precise; of the repeats of a judge the first.

    Raises ConfigError for a name that is none.
    """
    try:
        ids = select_grade(design, asked.metrics)
    except ConfigError as error:
        raise ConfigError(f"precision.metrics: {error}") from error
    first: dict[str, GradeCondition] = {}
    for one in design.grade:
        if one.id in ids and one.rejudge is None and not one.grader.by_people:
            first.setdefault(one.first_id, one)
    return list(first.values())


def is_whole(design: Design, asked: PrecisionConfig, selection: Selection) -> bool:
    """Whether all is chosen that the intervals are of. A run of less begins no further items."""
    metrics, conditions = metrics_of(design, asked), design.first_asked
    wanted = {Partition((one.id, judge.id)) for one in conditions for judge in metrics}
    wanted |= {part.solutions for part in wanted}
    return wanted <= {*selection.partitions}


def require_possible(design: Design, asked: PrecisionConfig) -> None:
    """Raise ConfigError for a target that no number of items could be bought for."""
    metrics = metrics_of(design, asked)
    if not metrics:
        raise ConfigError(
            "precision: people alone give these scores, and no run buys what they rate: name a"
            " judge or a scorer in precision.metrics, or remove `precision`"
        )
    if asked.key == "detect" and len(design.first_asked) < 2:
        raise ConfigError(
            "precision.detect: the study has one condition, and a difference needs two. Give"
            " half_width: then it is that of the mean"
        )
    _require_scales(metrics, asked)


def _require_scales(metrics: Sequence[GradeCondition], asked: PrecisionConfig) -> None:
    for one in metrics:
        scale = one.grader.scale
        if scale is None:
            raise ConfigError(
                f"precision: {one.label} has no scale, so nobody knows how far scores not seen yet"
                " may lie. Declare its scale, such as [0, 1], or name others in precision.metrics"
            )
        if asked.target >= scale[1] - scale[0]:
            raise ConfigError(
                f"precision.{asked.key}: {asked.target:g} is as wide as the scale of {one.label},"
                f" {scale[0]:g} to {scale[1]:g}, or wider; give it in units of the score: 0.02 is"
                " 2 points"
            )
