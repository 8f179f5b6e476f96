"""Adds to a YAML text, and leaves all else as it is: comments, order, quotes.

The new text is read again, and has to say what was meant. Where it does not, as behind an alias, a
person has to write the line.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

from .strict import load_yaml

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class EditError(ValueError):
    """A text cannot be edited. The message says which line to write into it by hand."""


def with_entry(text: str, path: Sequence[str], key: str, value: str) -> str:
    """The text with `key: value` in the mapping at `path`, which is made where there is none.

    `value` is YAML in one line. Raises EditError where the text cannot be edited.
    """
    line = f"{as_key(key)}: {value}"

    def change(data: dict[str, Any]) -> None:
        _inner(data, path, dict)[key] = load_yaml(value)

    return _edited(text, path, line, f"{{{line}}}", line, change)


def with_item(text: str, path: Sequence[str], item: str) -> str:
    """The text with one more text in the list at `path`, which is made where there is none.

    Raises EditError where the text cannot be edited.
    """
    word = as_key(item)

    def change(data: dict[str, Any]) -> None:
        _inner(data, path, list).append(item)

    return _edited(text, path, f"- {word}", f"[{word}]", word, change)


def as_key(word: str) -> str:
    """A text as YAML has it, with quotes where it would mean something else."""
    is_plain = _PLAIN.fullmatch(word) and yaml.safe_load(word) == word
    return word if is_plain else json.dumps(word, ensure_ascii=False)


def _edited(text: str, path: Sequence[str], line: str, whole: str, inside: str, change: Any) -> str:
    """`line`: as it stands below others; `whole`: where nothing is there; `inside`: in brackets."""
    body = text.removeprefix("\ufeff")
    try:
        new = _placed(body, path, line, whole, inside)
        wanted = _unshared(load_yaml(body))
        change(wanted)
        if load_yaml(new) != wanted:
            raise ValueError
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, TypeError) as error:
        place = ".".join(path)
        raise EditError(
            f"{place}: the YAML cannot be edited by itself here; write this into {place}, and try "
            f"again: {line}"
        ) from error
    return text[: len(text) - len(body)] + new


def _placed(text: str, path: Sequence[str], line: str, whole: str, inside: str) -> str:
    node: yaml.Node | None = yaml.compose(text, yaml.SafeLoader)
    for depth, key in enumerate(path):
        inner = _value(node, key)
        if inner is None or (isinstance(inner, yaml.ScalarNode) and not inner.value):
            missing = path[depth + 1 :]
            return _with_key(text, node, key, inner, missing, line, whole)
        node = inner
    return _below(text, node, line, inside)


def _value(node: Any, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        raise ValueError
    return next((value for name, value in node.value if name.value == key), None)


def _with_key(
    text: str,
    parent: Any,
    key: str,
    empty: yaml.Node | None,
    missing: Sequence[str],
    line: str,
    whole: str,
) -> str:
    """A key that is not there, or has nothing behind it. `missing`: keys below it."""
    for name in reversed(missing):
        whole = f"{{{name}: {whole}}}"
    if empty is not None:
        return text[: empty.start_mark.index] + f" {whole}" + text[empty.start_mark.index :]
    return _below(text, parent, f"{key}: {whole}", f"{key}: {whole}")


def _below(text: str, node: Any, line: str, inside: str) -> str:
    """The line after the last one of a mapping or a list."""
    if not isinstance(node, yaml.CollectionNode):
        raise ValueError
    if node.flow_style:
        end = node.end_mark.index - 1
        before = text[:end].rstrip()
        comma = ("" if before.endswith(",") else ",") + " " if node.value else ""
        return before + comma + inside + text[len(before) :]
    end = _end_of_line(text, _last(node))
    line_end = "\r\n" if "\r\n" in text else "\n"
    start = text[:end] if text[:end].endswith("\n") else text[:end] + line_end
    return start + " " * node.start_mark.column + line + line_end + text[end:]


def _last(node: Any) -> yaml.Node:
    """The last value within a node that stands in one place."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return node


def _end_of_line(text: str, node: yaml.Node) -> int:
    """Where the line after a value begins."""
    mark = node.end_mark
    if mark.column == 0 and mark.index:
        # A text over several lines ends where the next line begins.
        return mark.index
    found = text.find("\n", mark.index)
    return len(text) if found < 0 else found + 1


def _unshared(data: Any) -> Any:
    """The same values, where none is in two places, as behind an alias."""
    if isinstance(data, dict):
        return {key: _unshared(value) for key, value in data.items()}
    return [_unshared(value) for value in data] if isinstance(data, list) else data


def _inner(data: dict[str, Any], path: Sequence[str], kind: type) -> Any:
    for key in path[:-1]:
        if data.get(key) is None:
            data[key] = {}
        data = data[key]
    if data.get(path[-1]) is None:
        data[path[-1]] = kind()
    return data[path[-1]]
