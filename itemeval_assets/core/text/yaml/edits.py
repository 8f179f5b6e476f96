"""Adds to a YAML text, and leaves all else as its author wrote it.

Comments, order, quotes and line ends stay: the text is cut at one place, and nothing is written
anew. The new text is read again, and has to say what was meant. Where it does not, as behind an
alias, a person has to write the line.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

from .strict import StrictLoader, load_yaml

_MARK = "\ufeff"  # of the byte order, which some editors write first
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class EditError(ValueError):
    """A text cannot be edited. The message says what to write into it by hand."""


def with_entry(text: str, path: Sequence[str], key: str, value: str) -> str:
    """The text with `key: value` in the mapping at `path`, which is made where there is none.

    `value` is YAML in one line; `text` is the sound YAML of a mapping. Raises EditError.
    """
    entry = f"{plain_word(key)}: {value}"
    return _edited(text, path, entry, f"{{{entry}}}")


def with_item(text: str, path: Sequence[str], item: str) -> str:
    """The same with one more item, YAML in one line, in the list at `path`. Raises EditError."""
    return _edited(text, path, f"- {item}", f"[{item}]")


def plain_word(word: str) -> str:
    """A word as YAML, in quotes where it would mean something else, as a date, without them."""
    is_plain = _PLAIN.fullmatch(word) and yaml.safe_load(word) == word
    return word if is_plain else json.dumps(word, ensure_ascii=False)


def _edited(text: str, path: Sequence[str], line: str, whole: str) -> str:
    """`line`: the addition as it stands below others; `whole`: as it stands alone, in brackets."""
    mark = _MARK if text.startswith(_MARK) else ""
    body = text.removeprefix(mark)
    try:
        place, added = _cut(body, path, line, whole)
        newline = "\r\n" if "\r\n" in body else "\n"
        found = body[:place] + added.replace("\n", newline) + body[place:]
        wanted = _unshared(load_yaml(body, StrictLoader))
        _add(wanted, path, load_yaml(whole, StrictLoader))
        if load_yaml(found, StrictLoader) != wanted:
            raise ValueError
    except (yaml.YAMLError, ValueError, AttributeError) as error:
        where = ".".join(path)
        raise EditError(
            f"{where}: this file is written in a way that nothing can be added to without changing "
            f"the rest. Write {whole[1:-1]} into `{where}` yourself, and give the same command "
            "again"
        ) from error
    return mark + found


def _cut(body: str, path: Sequence[str], line: str, whole: str) -> tuple[int, str]:
    """Where something is added, and what. Raises ValueError where nothing can be."""
    root = node = _block(yaml.compose(body, yaml.SafeLoader))
    missing = [*path]
    while missing and (inner := _value(node, missing[0])) is not None:
        missing.pop(0)
        if isinstance(inner, yaml.ScalarNode) and not inner.value:
            return inner.start_mark.index, f" {_within(missing, whole)}"
        node = inner
    if not isinstance(node, yaml.CollectionNode):
        raise ValueError
    if node.flow_style:
        inside = _within(missing, whole)[1:-1]
        return (_end(node), f", {inside}") if node.value else (node.start_mark.index + 1, inside)
    indent = " " * node.start_mark.column
    lines = [*(f"{key}:" for key in missing), line]
    added = "".join(f"{indent}{'  ' * depth}{one}\n" for depth, one in enumerate(lines))
    return _after_line(body, root.end_mark.index if node is root else _end(node), added)


def _block(root: yaml.Node | None) -> Any:
    """Not JSON, which what is added would not be."""
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise ValueError
    return root


def _value(node: yaml.Node, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        raise ValueError
    return next((value for name, value in node.value if name.value == key), None)


def _within(keys: Sequence[str], whole: str) -> str:
    for key in reversed(keys):
        whole = f"{{{key}: {whole}}}"
    return whole


def _end(node: yaml.CollectionNode) -> int:
    """Where the last value ends: PyYAML ends a block behind the comments that follow it."""
    last = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    is_block = isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value
    return _end(last) if is_block else last.end_mark.index


def _after_line(body: str, place: int, lines: str) -> tuple[int, str]:
    """After the line of a place, whatever comment it ends with."""
    if place and body[place - 1] == "\n":
        return place, lines
    end = body.find("\n", place)
    return (len(body), f"\n{lines}") if end < 0 else (end + 1, lines)


def _unshared(data: Any) -> Any:
    """The same values, where none is in two places, as behind an alias."""
    if isinstance(data, dict):
        return {key: _unshared(value) for key, value in data.items()}
    return [_unshared(value) for value in data] if isinstance(data, list) else data


def _add(data: Any, path: Sequence[str], new: Any) -> None:
    """Add to plain data what is added to the text."""
    for depth, key in enumerate(path, 1):
        if data.get(key) is None:
            data[key] = {} if depth < len(path) else type(new)()
        data = data[key]
    data.update(new) if isinstance(new, dict) else data.extend(new)
