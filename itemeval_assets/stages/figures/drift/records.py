"""What is known of drift, and which conditions of a study tell of it."""

from dataclasses import dataclass, field

from .changes import Change

__all__ = ["GraderDrift", "StudyDrift"]


@dataclass(frozen=True, kw_only=True)
class GraderDrift:
    """What the scores of one grader tell: its changes are a family, with p by Holm.

    `left_out`: what could not be compared, with the reason.
    """

    graded_by: str
    scale: tuple[float, float] | None
    changes: list[Change] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StudyDrift:
    """The changes since a study was asked first, by each grader: graders are never pooled."""

    study: str
    policy: str
    level: float
    cluster: str | None
    by_grader: list[GraderDrift]
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
