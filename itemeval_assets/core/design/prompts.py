"""The text that a model is shown for one cell."""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from itemeval_assets.core.config.templates import render, split_at
from itemeval_assets.core.grading.judge_reply import FORMAT_NOTICE

from .conditions import GenerateCondition, GradeCondition

__all__ = ["Prompt", "judge_prompt", "solver_prompt"]

Item = Mapping[str, Any]


class Prompt(NamedTuple):
    """`system` is empty unless the layout is split, for providers that cache a shared head.

    `shared`: how many characters of `text`, from its start, other calls of the item share.
    """

    system: str
    user: str
    shared: int

    @property
    def text(self) -> str:
        return self.system + self.user

    @property
    def head(self) -> str:
        return self.text[: self.shared]


def solver_prompt(condition: GenerateCondition, item: Item) -> Prompt:
    """The prompt of one item, the same for all its replications. Reads item_id and input."""
    values = {"input": item["input"], "id": item["item_id"]}
    prompt = _layout(condition.prompt.text, "input", values, condition.split_prompt)
    return prompt._replace(shared=len(prompt.text))


def judge_prompt(condition: GradeCondition, item: Item, solution: str | None) -> Prompt:
    """The rubric filled in for one solution, with the notice of the reply format at its end.

    Reads item_id, input, target, grading_scheme and metadata_json; any metadata column may
    stand in the rubric.
    """
    assert condition.rubric is not None and condition.grader is not None
    values = {
        **_texts(json.loads(item["metadata_json"])),
        "input": item["input"],
        "solution": solution or "",
        "target": item["target"],
        "grading_scheme": item["grading_scheme"] or "",
        "id": item["item_id"],
    }
    prompt = _layout(condition.rubric.text, "solution", values, condition.grader.split_rubric)
    return prompt._replace(user=prompt.user + FORMAT_NOTICE)


def _layout(text: str, start: str, values: Mapping[str, str], split: bool) -> Prompt:
    head, tail = (render(part, values) for part in split_at(text, start))
    return Prompt(head, tail, len(head)) if split else Prompt("", head + tail, len(head))


def _texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in metadata.items()}


def _text(value: Any) -> str:
    """A value as a model reads it: a missing one is empty, and a null inside a list stays JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
