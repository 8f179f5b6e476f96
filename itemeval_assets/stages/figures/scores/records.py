"""The score of a condition by a grader, and those of a study."""

from dataclasses import dataclass

from itemeval_assets.core.records.summaries import MANY

from ..planned import NOT_PLANNED
from .estimates import MEAN

__all__ = ["Score", "StudyScores"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """The mean score of one generate x grade condition, and of one `group` where there are any.

    `mean` is null without a score, and the interval from `low` to `high` where scores allow none:
    `warnings` say why. Of another figure than the mean score, `mean` is that of the figure over
    items, and of a panel `grade_condition_id` is null. `cells` are all of the design, `left_out`
    those without a score, by state.
    `bounds`: the mean if all planned cells without a score had the worst, and if they had the best
    of the scale; there where these are more than 2 %, and a scale is declared, also where `mean` or
    its interval is null.
    """

    condition: str
    graded_by: str
    group: str | None
    gen_condition_id: str
    grade_condition_id: str | None
    scale: tuple[float, float] | None
    cells: int
    left_out: dict[str, int]
    mean: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    level: float
    n_events: int
    n_items: int
    n_clusters: int
    method: str | None
    bounds: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def misses_many(self) -> bool:
        """Whether so many planned cells have no score that these could change the mean."""
        unplanned = self.left_out.get(NOT_PLANNED, 0)
        missing = sum(self.left_out.values()) - unplanned
        return missing > MANY * (self.cells - unplanned)


@dataclass(frozen=True, kw_only=True)
class StudyScores:
    """The scores of a study under a policy: one `figure` of each condition.

    `words` say what the figures do not show.
    """

    study: str
    policy: str
    level: float
    cluster: str | None
    by: str | None
    rows: list[Score]
    words: list[str]
    figure: str = MEAN.name
