"""The graders that there are. A new one is a file of its own, and a line here."""

from collections.abc import Mapping
from typing import Any

from .grader import Grader, GraderConfig
from .judge import JudgeConfig
from .scorers.exact_match import EXACT_MATCH
from .scorers.multiple_choice import MULTIPLE_CHOICE
from .scorers.numeric import NUMERIC

# By the word of `kind` in an entry of `graders:`. An entry without one is a judge.
KINDS: dict[str, type[GraderConfig]] = {
    "judge": JudgeConfig,
}

# By the word of `facets.scorer`.
SCORERS: dict[str, Grader] = {
    scorer.name: scorer
    for scorer in (
        EXACT_MATCH,
        MULTIPLE_CHOICE,
        NUMERIC,
    )
}


def kind_of_entry(entry: object) -> type[GraderConfig]:
    """The section that an entry of `graders:` is, by its `kind`."""
    kind = entry.get("kind") if isinstance(entry, Mapping) else None
    return KINDS.get(str(kind), JudgeConfig)


def model_as_grader(model: str) -> GraderConfig:
    """What the bare id of a model means in `facets.grader`."""
    return JudgeConfig(model=model)


def read_entry(entry: Any) -> GraderConfig:
    """An entry of `graders:` as its section. Raises ValidationError for what is wrong."""
    return kind_of_entry(entry).model_validate(entry)
