"""Short names of conditions: as much of each part as a column of Dagster's grid shows.

Of a name that is too wide, the prompt is cut first and the model last. Numbers stay: they tell
versions and sizes of models apart. So `claude-haiku-4-5` with `minimal` is `cla-haiku-4-5_mi`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# Dagster's font, Geist at 14 px, as chromium measures it (`measureText` of a canvas).
_SIGNS = {".": 3, "ijl": 3.8, "frt1": 5.5, "-": 6, "bdgkpq": 8.4, "023456789": 8.8, "mw": 12.1}
_WIDTHS_PX = {sign: px for signs, px in _SIGNS.items() for sign in signs}
_OTHER_PX = 8.0

_Role = Literal["maker", "family", "variant", "habit", "date", "prompt", "config"]
# What is cut next, until the name fits, and how many letters of each such word stay.
_CUTS: tuple[tuple[_Role, int], ...] = (
    *(("prompt", 3), ("config", 4), ("habit", 1), ("prompt", 2), ("maker", 3), ("variant", 4)),
    *(("prompt", 1), ("date", 0), ("config", 2), ("variant", 2), ("maker", 1), ("family", 4)),
    *(("habit", 0), ("variant", 1), ("family", 3), ("config", 1), ("family", 1)),
)
# How many models were trained or are served; and when they came out: a date keeps month and day.
_HABITS = {"instruct", "chat", "it", "hf", "latest", "preview", "versatile"}
_DATE = re.compile(r"-20\d\d-?([01]\d)-?([0-3]\d)(?=-|$)")
_SHORT_DATE = re.compile(r"\d{4}")


@dataclass
class _Word:
    part: int
    role: _Role
    text: str

    @property
    def letters(self) -> int:
        """How many it begins with; 1 for a number, which is cut in one piece."""
        return len(re.split(r"[^a-z]", self.text)[0]) or min(1, len(self.text))

    def cut(self) -> None:
        """Take the last of these letters; with the only one, all."""
        end = self.letters - 1
        self.text = self.text[:end] + self.text[end + 1 :] if end else ""


def width_px(text: str) -> float:
    """How wide Dagster shows a text."""
    return sum(_WIDTHS_PX.get(sign, _OTHER_PX) for sign in text)


def short_name(parts: tuple[str, ...], room_px: float) -> str:
    """Model, prompt and config, or grader and rubric, in small letters and cut to the room."""
    shown = [_plain(part) for part in parts]
    if width_px("_".join(shown)) > room_px:
        words = [word for place, part in enumerate(shown) for word in _words(place, part)]
        for role, letters in _CUTS:
            shown = _cut(words, role, letters, room_px)
    while width_px("_".join(shown)) > room_px:
        place = max(range(len(shown)), key=lambda place: len(shown[place]))
        shown[place] = shown[place].rpartition("-")[0] or shown[place][:-1]
    return "_".join(shown)


def _plain(text: str) -> str:
    """Small letters, digits, `-`, and `.` before a digit; of what has none of them, `x`."""
    return re.sub(r"([^a-z0-9.]|\.(?!\d))+", "-", text.lower()).strip("-.") or "x"


def _words(place: int, part: str) -> list[_Word]:
    if place:
        return [_Word(place, "prompt" if place == 1 else "config", w) for w in part.split("-")]
    words = _DATE.sub(r"-\1\2", part).split("-")
    return [_Word(place, _role(words, number), word) for number, word in enumerate(words)]


def _role(words: Sequence[str], number: int) -> _Role:
    """What a word says of a model: `meta-llama-3.3-70b-turbo`."""
    if number and words[number] in _HABITS:
        return "habit"
    if number and _SHORT_DATE.fullmatch(words[number]):
        return "date"
    if any(map(_has_digit, words[:number])):
        return "variant"
    return "family" if number or any(map(_has_digit, words[:2])) else "maker"


def _cut(words: Sequence[_Word], role: _Role, letters: int, room_px: float) -> list[str]:
    """Cut the longest words of a role, the last one first; what is then shown of each part."""
    while width_px("_".join(shown := _joined(words))) > room_px:
        longer = [word for word in words if word.role == role and word.letters > letters]
        if not longer:
            break
        max(reversed(longer), key=lambda word: word.letters).cut()
    return shown


def _joined(words: Sequence[_Word]) -> list[str]:
    """The parts. Only a model keeps the marks between its words."""
    parts = range(words[-1].part + 1)
    found = [[word.text for word in words if word.part == part and word.text] for part in parts]
    return [("" if part else "-").join(texts) for part, texts in zip(parts, found, strict=True)]


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))
