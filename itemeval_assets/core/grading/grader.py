"""The seam of grader kinds: what a grader says of itself.

The rest of the package asks, and tests for no kind.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator

from itemeval_assets.core.prompts.prompts import Item, Prompt
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part
from itemeval_assets.core.text.yaml_sections import Section

from .verdict import Verdict


def _read_scale(value: object) -> object:
    ends = list(value) if isinstance(value, list | tuple) else []
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if value is None or (
        len(ends) == len(numbers) == 2 and all(map(math.isfinite, numbers)) and ends[0] < ends[1]
    ):
        return value
    raise ValueError(
        f"give the lowest and the highest score as two numbers, such as [0, 10]; found {value!r}"
    )


# The lowest and the highest score. It enters no id: it says how scores are read.
ScoreScale = Annotated[tuple[float, float] | None, BeforeValidator(_read_scale)]


@dataclass(frozen=True, kw_only=True)
class ModelCall:
    """What a grader asks of a model, once for each solution, and what it makes of the reply.

    `where` is the YAML path that names the model; `settings` bear the names of inspect's
    `GenerateConfig`. Prompts hold the solution as it is, however often: so sizes add up.
    `mock_reply`: what a mock model replies, by how good it finds the solution, from 0 to 1.
    `verdict_of` never raises, whatever a reply holds.
    """

    model: str
    where: str
    settings: Mapping[str, Any]
    prompt_for: Callable[[Item, str | None], Prompt] = field(compare=False)
    verdict_of: Callable[[str | None], Verdict] = field(compare=False)
    mock_reply: Callable[[float], str] = field(compare=False)
    reply_schema: Mapping[str, Any] | None = None
    provider_routing: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Grader:
    """What grades the solutions of one grade condition.

    `kind` is the `grade_kind` of its rows, `name` what users call it, `template` the rubric that
    it fills in. Its condition id is made of `slug_parts` and of `payload`, which tells it from
    other graders. `columns` are the same in all its rows, under names of the table gradings: those
    that it leaves out are null.

    `scale` has the lowest and the highest score where they are declared. A score outside is kept.

    `repeat`: which of the times that it grades the same answers, from 1. Each is a condition of
    its own, and the first one has the id of a grader that grades once.

    It makes a `call` for each solution; or it has `rules`, which grade at once and free, and never
    raise.
    """

    kind: str
    name: str
    slug_parts: list[str]
    payload: Mapping[str, Any]
    columns: Mapping[str, str]
    label_parts: tuple[Part, ...]
    template: Template | None = None
    scale: tuple[float, float] | None = None
    repeat: int = 1
    call: ModelCall | None = None
    rules: Callable[[Item, str | None], Verdict] | None = field(default=None, compare=False)


class GraderConfig(Section, ABC):
    """An entry of `graders:`, of whichever kind."""

    @abstractmethod
    def graders(self, name: str, rubrics: Sequence[Template]) -> list[Grader]:
        """What an entry of this name stands for: a grader for each grade condition."""

    @property
    def models(self) -> Mapping[str, str]:
        """The models that it names, by its own keys."""
        return {}
