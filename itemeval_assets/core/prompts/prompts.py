"""The text that a model is shown for one cell."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .chats import IS_CHAT, readable
from .templates import Template, render, split_at
from .turns import Turn, written_out

Item = Mapping[str, Any]
# In an item that a judge is asked about: its own rubric, where a model has written one.
ITEM_RUBRIC = "item_rubric"


class Prompt(NamedTuple):
    """The turns that a model is shown; most prompts are one of the user.

    `shared`: how many characters of `text`, from its start, other calls of the item share.
    `is_chat`: whether the template has turns of its own; `text` then holds their lines, too, which
    take about as many tokens as a provider spends on the roles.
    """

    turns: tuple[Turn, ...]
    shared: int
    is_chat: bool = False

    @property
    def text(self) -> str:
        if self.is_chat:
            return written_out(self.turns)
        return "".join([turn.text for turn in self.turns])

    @property
    def head(self) -> str:
        return self.text[: self.shared]

    def ending_with(self, more: str) -> "Prompt":
        """The same with something at the end of its last turn."""
        *first, last = self.turns
        return self._replace(turns=(*first, last._replace(text=last.text + more)))


def one_message(text: str) -> Prompt:
    """A prompt that nothing is shared with."""
    return Prompt((Turn("user", text),), 0)


def filled_in(
    template: Template,
    start: str,
    values: Mapping[str, str],
    is_split: bool = False,
    chat: Sequence[Turn] = (),
) -> Prompt:
    """A template with its values. Calls share what stands before the placeholder `start`.

    `is_split`: what stands before it is the turn of the system, for providers that cache a shared
    head. A turn of the system that comes to nothing is left out. `chat`: turns that stand in the
    place of the one that holds the placeholder.
    """
    is_chat = template.is_chat or bool(chat)
    turns = _split(template, start) if is_split else template.turns
    shown: list[Turn] = []
    head = None
    for role, text in turns:
        above, rest = split_at(text, start)
        before, after = render(above, values), render(rest, values)
        if role == "system" and not before + after:
            continue
        if head is None and rest:
            head = Prompt((*shown, Turn(role, before)), 0, is_chat)
        shown += chat if rest and chat else [Turn(role, before + after)]
    # Of a chat without the end of the line that the placeholder stands in.
    shared = len(head.text) - is_chat if head else 0
    return Prompt(tuple(shown), shared, is_chat)


def _split(template: Template, start: str) -> tuple[Turn, ...]:
    head, tail = split_at(template.text, start)
    return Turn("system", head), Turn("user", tail)


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

    Reads item_id, input, target, grading_scheme and metadata_json, and whether the item is a chat;
    any metadata column may stand in the rubric. `{rubric}` is what was written for the item, if
    anything was.
    """
    written = {"rubric": item[ITEM_RUBRIC]} if ITEM_RUBRIC in item else {}
    return {
        **{name: _text(value) for name, value in json.loads(item["metadata_json"]).items()},
        "input": readable(item["input"]) if item.get(IS_CHAT) else item["input"],
        "solution": solution or "",
        "target": item["target"],
        "grading_scheme": item["grading_scheme"] or "",
        "id": item["item_id"],
        **written,
    }


def _text(value: Any) -> str:
    """A value as a model reads it: a missing one is empty, and a null inside a list stays JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
