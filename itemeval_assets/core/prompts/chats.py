"""Items that are chats already: turns that stand in the place of `{input}`.

The table of items keeps a chat as JSON; a judge and people read it as text.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.core.text.words import cut, well_formed

from .turns import ROLES, Turn

# Set in the row of an item whose study has chats: another text may look like one.
IS_CHAT = "is_chat"
_START = '[{"role":'


def is_like_a_chat(value: Any) -> bool:
    """Whether a value is a list of objects that have a role and a content."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and {"role", "content"} <= one.keys() for one in value)
    )


def chat_of(value: Any) -> list[Turn]:
    """The turns that a column holds, as a list or as a JSON text of one.

    Raises ValueError with what is wrong.
    """
    if isinstance(value, str):
        try:
            value = load_json(value)
        except ValueError as error:
            raise ValueError(f"expected a chat in JSON; found {cut(str(value))!r}") from error
    if not isinstance(value, list) or not value:
        raise ValueError(
            f"expected a chat, a list of objects with role and content; found {cut(str(value))!r}"
        )
    turns = [_turn(one, f"turn {number}") for number, one in enumerate(value, 1)]
    if turns[-1].role != "user":
        raise ValueError(
            f"the last turn is of the {turns[-1].role}; a model answers the user: remove what "
            "comes after the user's last turn"
        )
    return turns


def as_json(turns: Iterable[Turn]) -> str:
    """A chat as the table of items keeps it."""
    found = [{"role": turn.role, "content": turn.text} for turn in turns]
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def stored_turns(input: str) -> tuple[Turn, ...]:
    """The turns of a stored chat."""
    return tuple(Turn(one["role"], one["content"]) for one in json.loads(input))


def readable(input: str) -> str:
    """What an item asks, as people and judges read it: the turns of a chat line by line."""
    turns = _if_chat(input)
    if not turns:
        return input
    return "\n\n".join(f"{turn.role}: {turn.text}" for turn in turns)


def last_question(input: str) -> str:
    """What the user says last in a chat; any other text as it is."""
    turns = _if_chat(input)
    asked = [turn.text for turn in turns if turn.role == "user"]
    return asked[-1] if asked else "" if turns else input


def _if_chat(input: str) -> Sequence[Turn]:
    """The turns of what `as_json` wrote; none of any other text."""
    if not input.startswith(_START):
        return ()
    try:
        turns = chat_of(input)
    except ValueError:
        return ()
    return turns if as_json(turns) == input else ()


def _turn(value: Any, where: str) -> Turn:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is no object with role and content: {cut(str(value))!r}")
    given = {key: found for key, found in value.items() if found is not None}
    for key in ("role", "content"):
        if key not in given:
            there_are = ", ".join(map(str, given)) or "none"
            raise ValueError(f"{where} has no `{key}`; its keys: {there_are}")
    role, content = given["role"], given["content"]
    if role not in ROLES:
        raise ValueError(f"{where} has the role {cut(str(role))!r}; there are {', '.join(ROLES)}")
    if not isinstance(content, str) or not content.strip():
        raise ValueError(f"{where} has a content that is no text: {cut(str(content))!r}")
    if more := [key for key in given if key not in ("role", "content")]:
        raise ValueError(f"{where} has {more[0]!r}, which is not sent; remove it from the data")
    return Turn(role, well_formed(content))
