"""Which scores `precision` asks for, and whether they can become as precise."""

import hashlib
from collections.abc import Sequence
from statistics import NormalDist

from itemeval_assets.core.config.sections import PrecisionConfig
from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.errors import ConfigError

from .conditions.conditions import Design, GradeCondition
from .conditions.ids import canonical_json
from .partitions import Partition
from .selection import Selection, select_grade

_POWER = 0.8


def half_width_of(asked: PrecisionConfig, level: float) -> float:
    """What half-width detects the difference that is asked for, with the power of 80 %."""
    if asked.half_width is not None:
        return asked.half_width
    certain, power = (NormalDist().inv_cdf(p) for p in ((1 + level) / 2, _POWER))
    return asked.target * certain / (certain + power)


def digest_of_look(config: StudyConfig, design: Design) -> str:
    """Of all that says what a look is at: a look under another digest tells nothing of this study.

    The size of the sample is no part: a look is at its first items.
    """
    asked = config.precision
    assert asked is not None
    metrics = [(one.id, one.grader.scale) for one in metrics_of(design, asked)]
    seen = {
        "target": {asked.key: asked.target},
        "metrics": sorted(metrics),
        "conditions": sorted(one.id for one in design.first_asked),
        "replications": config.facets.replications,
        "benchmark": config.benchmark.model_dump(mode="json", exclude={"sample": {"n"}}),
        "measurement": config.measurement.model_dump(mode="json", include={"cluster", "level"}),
    }
    return hashlib.sha256(canonical_json(seen).encode()).hexdigest()


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
    rubrics = {design.rubric_of(part) for part in wanted} - {None}
    wanted |= {part.solutions for part in wanted} | rubrics
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
