"""What a plan of a study is."""

from dataclasses import dataclass, field
from typing import TypedDict

from itemeval_assets.measurement import PairedVariances

__all__ = ["GraderPlan", "Pilot", "PlanRow", "StudyPlan", "Test"]


class Test(TypedDict):
    """How a difference is tested, and how often it is to be found."""

    alpha: float
    power: float


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """A design, the smallest difference that it finds, and what it costs beyond what is stored.

    `usd` is expected, or at most where no stored call tells; null where a price is not known.
    """

    items: int
    replications: int
    repeats: int
    detect: float
    calls: int
    usd: float | None
    at_most_usd: float | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class GraderPlan:
    """The designs by one grader. `chosen` is the one that was asked for, `lines` make it in the
    YAML; without either `words` say why."""

    graded_by: str
    scale: tuple[float, float] | None
    variances: PairedVariances | None = None
    designs: list[PlanRow] = field(default_factory=list)
    chosen: PlanRow | None = None
    lines: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """Which cells to run first, what they cost, the lines of the YAML, and the commands."""

    items: int
    replications: int
    calls: int
    usd: float | None
    at_most_usd: float | None
    lines: list[str]
    commands: list[str]


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """What certainty costs, by grader, or the pilot that would tell. `of`: which pairs."""

    study: str
    policy: str
    of: str
    alpha: float
    power: float
    detect: float | None
    max_usd: float | None
    n_items: int
    population: int
    by_grader: list[GraderPlan] = field(default_factory=list)
    pilot: Pilot | None = None
    notes: list[str] = field(default_factory=list)
