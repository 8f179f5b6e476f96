"""What mock models reply: models have an ability, items a difficulty, judges are kind or severe.

All of it comes from digests of names and texts: nothing is kept, and a second run gets the same
replies. None of it tells of a real model.
"""

import hashlib
import math
import re
from typing import NamedTuple

__all__ = ["Asked", "answer", "quality_seen"]

# In place of the target of an item that has none, and of a wrong answer where none is near.
_NO_TARGET, _NO_ANSWER = "right", "unknown"
# Rubrics may say `Correct answer:`.
_ANSWER_LINE = re.compile(r"ANSWER:[ \t]*([^\r\n]+)")
_OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
# How good a right and a wrong answer are, and how far from it judges find them, from 0 to 1.
_RIGHT, _WRONG = 0.85, 0.15
_OF_ANSWERS, _OF_KINDNESS, _OF_JUDGES = 0.15, 0.2, 0.1


class Asked(NamedTuple):
    """A call of a mock model. `target` is what no real model sees.

    `draw` tells calls with the same prompt apart: the settings of the model and the replication.
    """

    model: str
    item_id: str
    target: str
    prompt: str
    draw: str = ""


def answer(asked: Asked) -> str:
    """An answer that is right as often as the model's ability and the item's difficulty say."""
    target = asked.target or _NO_TARGET
    chance = 1 / (1 + math.exp(_difficulty(asked) - _ability(asked)))
    is_right = _share(asked.model, asked.draw, asked.prompt) < chance
    given = target if is_right else _near(target, _share("which", *asked))
    return f"A mock answer: no real model has answered.\nANSWER: {given}"


def quality_seen(asked: Asked) -> float:
    """How good a judge finds the solution in its prompt, from 0 to 1.

    Where the prompt shows no line with ANSWER, whether the solution is right is left to chance.
    """
    *_, found = ["", *_ANSWER_LINE.findall(asked.prompt)]
    if found:
        is_right = _bare(found) == _bare(asked.target or _NO_TARGET)
    else:
        is_right = _share("right", asked.prompt) < 0.5
    seen = (
        (_RIGHT if is_right else _WRONG)
        + _OF_ANSWERS * _spread("answer", asked.item_id, found)
        + _OF_KINDNESS * _spread(f"how kind is {asked.model}")
        + _OF_JUDGES * _spread(asked.model, asked.draw, asked.prompt)
    )
    return min(max(seen, 0.0), 1.0)


def _bare(text: str) -> str:
    return text.strip(" .!*`$").casefold()


def _ability(asked: Asked) -> float:
    """From -2 to 3 logits: 2.2 of mockllm/alpha, 1.3 of beta, -0.7 of gamma."""
    return 5 * _share(f"how strong is {asked.model}") - 2


def _difficulty(asked: Asked) -> float:
    """From -3 to 3 logits."""
    return 3 * _spread(f"how hard is {asked.item_id}: {asked.target}")


def _near(target: str, draw: float) -> str:
    """Another answer of the same form: another letter, the opposite, a number that is near."""
    if re.fullmatch(r"[A-Za-z]", target):
        others = sorted(set("ABCD") - {target.upper()})
        letter = others[int(draw * len(others))]
        return letter if target.isupper() else letter.lower()
    if opposite := _OPPOSITES.get(target.lower()):
        return opposite.title() if target.istitle() else opposite
    number = re.search(r"[0-9]+", target)
    if number and len(number[0]) < 100:
        near = str(int(number[0]) + 1 + int(3 * draw)).zfill(len(number[0]))
        return target[: number.start()] + near + target[number.end() :]
    return _NO_ANSWER if target.lower() != _NO_ANSWER else "none"


def _spread(*of: str) -> float:
    """A number from -1 to 1 that depends on these words alone."""
    return 2 * _share(*of) - 1


def _share(*of: str) -> float:
    """A number in [0, 1) that depends on these words alone."""
    text = "\n".join(of).encode("utf-8", "replace")
    return int(hashlib.sha256(text).hexdigest()[:8], 16) / 2**32
