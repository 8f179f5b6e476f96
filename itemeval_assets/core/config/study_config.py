"""The whole YAML of a study: its sections, which fit together."""

import yaml
from pydantic import model_validator

from itemeval_assets.core.text.secrets import redacted

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

    @property
    def public_yaml(self) -> str:
        """The study file with every default written out, and without secrets."""
        return yaml.safe_dump(redacted(self.as_yaml_dict()), sort_keys=False, allow_unicode=True)
