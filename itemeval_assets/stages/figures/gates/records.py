"""What a gate finds."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["EXIT_CODES", "Decision", "Judged", "StudyGate", "Verdict"]

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
EXIT_CODES: dict[Verdict, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 6}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The design that would decide, and what it costs beyond what is stored.

    `population`: how many items the data have; null USD: a price is not known.
    """

    items: int
    replications: int
    repeats: int
    calls: int | None
    usd: float | None
    at_most_usd: float | None
    population: int


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What one grader says of a candidate. `value` is candidate less against.

    `low` and `high` are one-sided bounds of it; null where nothing varies, and no scale is
    declared.
    """

    candidate: str
    against: str
    graded_by: str
    scale: tuple[float, float] | None
    verdict: Verdict
    value: float
    low: float | None
    high: float | None
    n_items: int
    says: str
    to_decide: Decision | None = None
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StudyGate:
    """The gate of a study: PASS where all of `judged` pass, FAIL where any fails."""

    study: str
    policy: str
    against: str
    margin: float
    level: float
    cluster: str | None
    verdict: Verdict
    exit_code: int
    judged: list[Judged]
    notes: list[str] = field(default_factory=list)
