"""Rules of a study config that concern several of its fields, by what they are about."""

from ..sections import StudySections
from .grading import grading_problems
from .items import item_problems
from .measurement import measurement_problems
from .names import name_problems
from .precision import precision_problems
from .waves import wave_problems

__all__ = ["problems_across"]


def problems_across(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    return [
        *name_problems(config),
        *item_problems(config),
        *grading_problems(config),
        *measurement_problems(config),
        *precision_problems(config),
        *wave_problems(config),
    ]
