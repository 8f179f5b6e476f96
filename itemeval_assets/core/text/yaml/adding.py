"""Adds an entry to a list of a YAML text, and leaves all else as its author wrote it.

Comments, order, quotes and line ends stay: the text is cut at one place, and nothing is written
anew. What cannot be done in this way is refused.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from .strict import StrictLoader, load_yaml

__all__ = ["NotAdded", "plain_word", "with_entry"]

_MARK = "\ufeff"  # of the byte order, which some editors write first


class NotAdded(Exception):
    """The text is written in a way that nothing can be added to without a change of the rest."""


def with_entry(text: str, key: str, entry: str) -> str:
    """The text with one more entry in the list `key`, which it need not have. Raises NotAdded.

    `entry` is YAML in one line; `text` is the sound YAML of a mapping.
    """
    mark = _MARK if text.startswith(_MARK) else ""
    body = text.removeprefix(mark)
    before = load_yaml(body, StrictLoader)
    place, added = _cut(body, key, entry)
    newline = "\r\n" if "\r\n" in body else "\n"
    found = body[:place] + added.replace("\n", newline) + body[place:]
    _require_all_else(before, found, key, load_yaml(entry, StrictLoader))
    return mark + found


def plain_word(word: str) -> str:
    """A word as YAML, in quotes where it would be read as a date or a number without them."""
    try:
        is_itself = load_yaml(word, StrictLoader) == word
    except yaml.YAMLError:
        is_itself = False
    return word if is_itself else f'"{word}"'


def _cut(body: str, key: str, entry: str) -> tuple[int, str]:
    """Where something is added, and what."""
    root = yaml.compose(body, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise NotAdded
    listed = next((value for name, value in root.value if name.value == key), None)
    if listed is None:
        return _new_list(body, root, key, entry)
    if not isinstance(listed, yaml.SequenceNode):
        raise NotAdded
    if not listed.value:
        start = listed.start_mark.index
        return start + 1, entry
    last = _end(listed.value[-1])
    if listed.flow_style:
        return last, f", {entry}"
    return _after_line(body, last, f"{' ' * listed.start_mark.column}- {entry}\n")


def _new_list(body: str, root: yaml.MappingNode, key: str, entry: str) -> tuple[int, str]:
    """At the end of the file, as far right as the other keys."""
    indent = " " * root.start_mark.column
    return _after_line(body, root.end_mark.index, f"{indent}{key}:\n{indent}  - {entry}\n")


def _after_line(body: str, place: int, lines: str) -> tuple[int, str]:
    """After the line of a place, whatever comment it ends with."""
    if place and body[place - 1] == "\n":
        return place, lines
    end = body.find("\n", place)
    return (len(body), f"\n{lines}") if end < 0 else (end + 1, lines)


def _end(node: yaml.Node) -> int:
    """Where a value ends: PyYAML ends a block behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    assert node.end_mark
    return node.end_mark.index


def _require_all_else(before: Mapping[str, Any], text: str, key: str, entry: Any) -> None:
    """Raise NotAdded unless the text says what it said, and the entry."""
    try:
        now = load_yaml(text, StrictLoader)
    except yaml.YAMLError as error:
        raise NotAdded from error
    if now != {**before, key: [*before.get(key, []), entry]}:
        raise NotAdded
