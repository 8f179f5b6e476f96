"""The whole YAML of a study: its sections, which fit together."""

from pydantic import model_validator

from .rules import problems_across
from .sections import StudySections


class StudyConfig(StudySections):
    """A whole study. One file, one study, one results directory."""

    @model_validator(mode="after")
    def _fits_together(self) -> "StudyConfig":
        problems = problems_across(self)
        if problems:
            raise ValueError("\n".join(problems))
        return self
