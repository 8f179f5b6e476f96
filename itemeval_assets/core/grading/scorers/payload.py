"""The part of a solution that holds the answer, and the marks round it that show nothing."""

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

# The label may be in bold up to the colon: `**ANSWER**: 42` shows as `ANSWER: 42`.
_LABELLED = re.compile(
    r"ANSWER(?:[*_]{0,3}|</(?:b|strong|em|i)>)[^\S\r\n]*[:：]([^\r\n]*)", re.IGNORECASE
)
_TAG = re.compile(r"<(b|strong|em|i)>([^<>\n]{0,200})</\1>", re.IGNORECASE)
_CLOSING_TAG_FIRST = re.compile(r"</(?:b|strong|em|i)>\s*(?=\S)", re.IGNORECASE)
_CLOSING_TAG_LAST = re.compile(r"(?<=[^<>\s])\s?</(?:b|strong|em|i)>(\.?)$", re.IGNORECASE)
# Lines that only open a fence or a formula are passed over.
_NEXT_LINE = re.compile(r"(?:\s|\$\$|\\\[|```\w*(?=\s))*([^\r\n]*)")
_OPENING_ONLY = re.compile(r"(?:\s|\$|\\\[|`)*")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"[{}]")
_COMMAND = re.compile(r"\\(?:boxed|fbox|mbox|text[a-z]*|math[a-z]+|emph|operatorname)\s*\{")
_WRAPPERS = ("**", "__", "$$", "*", "_", "`", "$")
_BRACKETS = {"\\(": "\\)", "\\[": "\\]", "<": ">"}
_AROUND_LABEL = {"`": "`", '"': '"', "“": "”", "'": "'", "(": ")", "[": "]", "{": "}", "*": "*"}
_MOST_WRAPPERS = 8  # each costs a pass


class Payload(NamedTuple):
    """The part of a solution that is scored, and whether a label introduces it."""

    text: str
    labelled: bool


def payload_of(solution: str) -> Payload:
    """What follows `ANSWER:` on the last line that holds it, else the whole text.

    Where that line ends with the label, the next line that is not blank is meant.
    """
    labelled = deque(_LABELLED.finditer(solution), maxlen=1)
    if not labelled:
        return Payload(_unmarked(solution), False)
    payload = _unclosed(solution[: labelled[0].start()][-1:], _unmarked(labelled[0][1]))
    if _OPENING_ONLY.fullmatch(payload):
        following = _NEXT_LINE.match(solution, labelled[0].end())
        payload = _unmarked(following[1]) if following else ""
    return Payload(payload, True)


def last_boxed(text: str) -> str | None:
    r"""What the last `\boxed{}` of a text holds, if it is closed."""
    opening = deque(_BOXED.finditer(text), maxlen=1)
    if not opening:
        return None
    end = _closing(text, opening[0].end())
    return None if end is None else text[opening[0].end() : end]


def unwrapped(text: str) -> str:
    r"""The text without emphasis, `$` and commands such as `\text{}` round the whole of it."""
    text = text.strip()
    for inner in _inner_texts(text):
        text = inner
    return text


def untagged(text: str) -> str:
    """The text without the tags of HTML that put a part of it in bold or italics."""
    return _TAG.sub(r"\2", text)


def _inner_texts(text: str) -> Iterator[str]:
    for _ in range(_MOST_WRAPPERS):
        inner = _inner(text)
        if inner is None:
            return
        text = inner.strip()
        yield text


def _inner(text: str) -> str | None:
    command = _COMMAND.match(text)
    if command:
        closed = _closing(text, command.end()) == len(text) - 1
        return text[command.end() : -1] if closed else None
    tagged = _TAG.fullmatch(text.removesuffix("."))
    if tagged:
        return tagged[2]
    for opening, closing in (*((mark, mark) for mark in _WRAPPERS), *_BRACKETS.items()):
        if text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : -len(closing)]
            if len(text) > 2 * len(opening) and opening not in inner and closing not in inner:
                return inner
    return None


def _closing(text: str, start: int) -> int | None:
    """Where the brace that stands open at `start` is closed."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    return None


def _unclosed(opening: str, payload: str) -> str:
    """The payload without the mark that closes one before the label: `"ANSWER: 42"`."""
    closing = _AROUND_LABEL.get(opening, "")
    whole = payload.rstrip(".")
    if closing and whole.endswith(closing) and opening not in whole[:-1]:
        return whole.removesuffix(closing).rstrip()
    return payload


def _unmarked(text: str) -> str:
    """The text without bold marks around it: `**ANSWER: 42**` leaves one behind, and
    `**ANSWER:** 42` puts one in front; tags of HTML likewise."""
    text = text.strip()
    behind = _CLOSING_TAG_FIRST.match(text)
    if behind:
        text = text[behind.end() :]
    if not _TAG.search(text):
        text = _CLOSING_TAG_LAST.sub(r"\1", text)
    if text.startswith("**"):
        text = text.lstrip("* \t")
    if text.endswith(("**", "**.")):
        text = text.rstrip("*. \t")
    return text
