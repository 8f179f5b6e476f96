"""What is told of rubrics that people look through."""

from dataclasses import dataclass, field

__all__ = ["RubricsSummary", "RubricsTaken"]


@dataclass(frozen=True, kw_only=True)
class RubricsSummary:
    """A file of rubrics. `missing`: items that have none yet; `words`: what to know of the file."""

    study: str
    config: str
    path: str
    rubrics: int
    edited: int
    missing: int
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class RubricsTaken:
    """What came in. `known` rubrics are as they were; `stale`: gradings by texts of before."""

    study: str
    config: str
    source: str
    changed: int
    known: int
    stale: int
