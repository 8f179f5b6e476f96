"""The text that a model is shown for one cell."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .templates import render, split_at

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


def filled_in(text: str, start: str, values: Mapping[str, str], split: bool) -> Prompt:
    """A template with its values. Calls share what stands before the placeholder `start`."""
    head, tail = (render(part, values) for part in split_at(text, start))
    return Prompt(head, tail, len(head)) if split else Prompt("", head + tail, len(head))


def solver_values(item: Item, columns: Iterable[str]) -> dict[str, str]:
    """What the placeholders of a solver's template stand for.

    Reads item_id and input; metadata_json only where there are `columns`, the metadata columns
    that the template names.
    """
    kept = json.loads(item["metadata_json"]) if columns else {}
    texts = {name: _text(kept[name]) for name in columns if name in kept}
    return {**texts, "input": item["input"], "id": item["item_id"]}


def rubric_values(item: Item, solution: str | None) -> dict[str, str]:
    """What the placeholders of a rubric stand for.

    Reads item_id, input, target, grading_scheme and metadata_json; any metadata column may
    stand in the rubric.
    """
    return {
        **{name: _text(value) for name, value in json.loads(item["metadata_json"]).items()},
        "input": item["input"],
        "solution": solution or "",
        "target": item["target"],
        "grading_scheme": item["grading_scheme"] or "",
        "id": item["item_id"],
    }


def _text(value: Any) -> str:
    """A value as a model reads it: a missing one is empty, and a null inside a list stays JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
