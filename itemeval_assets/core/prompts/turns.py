"""Turns: what the system, the user and the assistant say, in one template file.

A line that holds `<|system|>`, `<|user|>` or `<|assistant|>` alone begins a turn. Ordinary
Markdown, LaTeX, JSON and code hold no such line. A template without one is one message.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

from itemeval_assets.core.text.nearest import nearest

Role = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = get_args(Role)
_MARKER = re.compile(r"^<\|([A-Za-z_]+)\|>[ \t]*(?:\n|\Z)", re.MULTILINE)


class Turn(NamedTuple):
    """What one side says."""

    role: Role
    text: str


def has_turns(text: str) -> bool:
    """Whether a template has turns of its own."""
    return any(name in ROLES for name in _MARKER.findall(text))


def turns_of(text: str) -> tuple[Turn, ...]:
    """The turns of a template, without the blank lines around each; one of the user if it has none.

    Of a template that `problem_of_turns` has nothing against.
    """
    if not has_turns(text):
        return (Turn("user", text),)
    return tuple(Turn(_role(name), found) for name, found in _parts(text)[1])


def problem_of_turns(text: str) -> str | None:
    """What is wrong with the turns of a template, if anything is."""
    if not has_turns(text):
        return None
    before, parts = _parts(text)
    if before.strip():
        return f"there is text before the line <|{parts[0][0]}|>; begin with the line of a turn"
    for name, found in parts:
        if name not in ROLES:
            return f"the line <|{name}|> begins no turn; {_lines(name)}"
        if not found.strip():
            return f"a turn of <|{name}|> is empty; write its text, or remove the line"
    return _problem_of_order([name for name, _ in parts])


def _problem_of_order(names: list[str]) -> str | None:
    talk = names[1:] if names[0] == "system" else names
    if "system" in talk:
        return "the turn of <|system|> comes first, and once"
    expected = [("user", "assistant")[place % 2] for place in range(len(talk))]
    if talk != expected or len(talk) % 2 == 0:
        return "the turns of <|user|> and <|assistant|> take turns, from <|user|> to <|user|>"
    return None


def unknown_markers(text: str) -> Iterator[str]:
    """Of a template without turns: lines that look nearly like one, and any that it begins with."""
    if not has_turns(text):
        first = _MARKER.match(text.lstrip())
        for name in dict.fromkeys(_MARKER.findall(text)):
            if nearest(name, ROLES) or (first and name == first[1]):
                yield f"the line <|{name}|> is sent as it stands; {_lines(name)}"


def written_out(turns: tuple[Turn, ...]) -> str:
    """Turns as a template would hold them: for people, and to count what a chat takes."""
    return "".join(f"<|{turn.role}|>\n{turn.text}\n" for turn in turns)


def _parts(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text before the first line of a turn, and (name, text) of each turn."""
    before, *found = _MARKER.split(text)
    return before, [
        (name, said.strip("\n")) for name, said in zip(found[::2], found[1::2], strict=True)
    ]


def _role(name: str) -> Role:
    return ROLES[ROLES.index(name)]  # type: ignore[arg-type]


def _lines(name: str) -> str:
    near = nearest(name, ROLES)
    known = [near] if near else ROLES
    return f"write {', '.join(f'<|{role}|>' for role in known)}"
