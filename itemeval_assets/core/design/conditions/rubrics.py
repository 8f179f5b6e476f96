"""Rubric conditions: a model that writes a rubric for each item, once for all its gradings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from itemeval_assets.core.config.sections import RubricConfig
from itemeval_assets.core.prompts.prompts import Item, Prompt, filled_in, rubric_values
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.text.labels import Part

from .ids import condition_id


@dataclass(frozen=True)
class RubricCondition:
    """An entry of `rubrics:` that judges grade by. `params` holds only the settings that are set.

    `template` is what the model is told; `where`: the YAML path that names the model.
    """

    id: str
    slug: str
    payload: dict[str, Any]
    name: str
    model: str
    template: Template
    params: Mapping[str, Any]
    where: str
    provider_routing: dict[str, Any] | None = None
    label: str = ""

    @cached_property
    def label_parts(self) -> tuple[Part, ...]:
        """What its label is made of."""
        return (Part(f"rubric {self.name}", f"rubric {self.name}"),)

    @property
    def identity(self) -> dict[str, Any]:
        """What a condition that grades by these rubrics has of them in its id."""
        return {name: value for name, value in self.payload.items() if name != "kind"}

    def prompt_for(self, item: Item) -> Prompt:
        """What the model is shown of an item. No solution is there yet."""
        return filled_in(self.template, "input", rubric_values(item, None))

    @staticmethod
    def mock_reply(quality: float) -> str:
        """What a mock model writes, whatever it is shown."""
        return _MOCK_RUBRIC


_MOCK_RUBRIC = (
    "- Full marks: the solution comes to the right answer, and each step follows.\n"
    "- Half of them: the way is right, and one step is not.\n"
    "- None: anything else.\n"
    "A mock rubric: no real model has written it."
)


def rubric_condition(name: str, entry: RubricConfig, template: Template) -> RubricCondition:
    """The condition of an entry, without a label, which depends on all others."""
    writer = entry.materialize
    payload = {
        "kind": "rubric",
        "name": name,
        "model": writer.model,
        "template": {"name": template.name, "hash": template.hash},
        "params": dict(writer.params),
    }
    id, slug = condition_id(["rubric", name], payload)
    return RubricCondition(
        id=id,
        slug=slug,
        payload=payload,
        name=name,
        model=writer.model,
        template=template,
        params=writer.params,
        where=f"rubrics.{name}.materialize.model",
        provider_routing=writer.provider_routing,
    )


def written_with(name: str) -> str:
    """What the template of a writer is called among the rubrics: no name of a template."""
    return f"rubrics.{name}.materialize"
