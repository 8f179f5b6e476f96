"""Turns pydantic's findings into lines a person can act on.

Each line gives the YAML path, the value found, what is allowed, and the nearest
known key where one is close.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from itemeval_assets.core.text.yaml.numbers import number_advice

from .unknown_keys import unknown_key
from .wording import advice, as_section, as_text, wanted

_FILE = "(file)"
_SHAPES = ("literal[", "list[", "dict[", "function-")
# What pydantic calls a value of another kind; it says so of each kind that a field may have.
_OF_ANOTHER_KIND = ("_type", "_parsing", "literal_error")


def describe_problems(error: ValidationError, data: Any, model: type[BaseModel]) -> list[str]:
    """One or more lines for every problem in `error`, each starting with its YAML path."""
    lines: list[str] = []
    found = error.errors()
    # pydantic counts with them: true is 1 in its path.
    odd = {problem["loc"][:-1]: problem["input"] for problem in found if _is_of_key(problem)}
    problems = [(_yaml_path(problem["loc"], odd), problem) for problem in found]
    for path, problem in problems:
        if _is_of_key(problem):
            lines.append(_odd_key(_yaml_path(problem["loc"][:-2], odd), problem["input"]))
        elif _is_beside_the_point(path, problem, problems):
            continue
        elif len(kinds := _kinds_at(path, problems)) > 1:
            allowed = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
            quoted = as_text(problem["input"]) if "a text" in kinds else ""
            lines.append(f"{path}: give {allowed}; found {_short(problem['input'])}{quoted}")
        elif problem["type"] == "extra_forbidden":
            word = str(problem["loc"][-1])
            lines.append(
                f"{path}: unknown key {word!r}; {unknown_key(problem['loc'], model, data)}"
            )
        elif problem["type"] == "missing":
            lines.append(f"{path}: this key is required")
        elif problem["type"] == "model_type":
            found_here = _short(problem["input"])
            lines.append(
                f"{path}: expected a section with keys; found {found_here}{as_section(problem)}"
            )
        elif problem["type"] == "invalid_key":
            lines.append(_odd_key(_yaml_path(problem["loc"][:-1], odd), problem["input"]))
        elif problem["type"] == "value_error":
            # Rules across fields name the paths of those themselves.
            start = f"{path}: " if problem["loc"] else ""
            found = problem["msg"].removeprefix("Value error, ").splitlines()
            lines.extend(f"{start}{line}" for line in found)
        else:
            lines.append(f"{path}: {_wrong_value(problem)}")
    return list(dict.fromkeys(lines))


def _is_of_key(problem: Any) -> bool:
    """Whether a problem is that of a key that may be any text."""
    return problem["loc"][-1:] == ("[key]",)


def _odd_key(section: str, key: object) -> str:
    start = "" if section == _FILE else f"{section}: "
    return f"{start}YAML does not read the key {_as_written(key)} as text; put quotes around it"


def _as_written(key: object) -> str:
    """A key that YAML reads as something else, as YAML writes that."""
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)


def _is_beside_the_point(path: str, problem: Any, problems: list[tuple[str, Any]]) -> bool:
    """Whether a value was tried as another kind than it is: the problem of its own kind is told."""
    return problem["type"].endswith(_OF_ANOTHER_KIND) and any(
        other.startswith((f"{path}.", f"{path}["))
        or (other == path and not found["type"].endswith(_OF_ANOTHER_KIND))
        # A word may stand alone or in a list: the words are told.
        or (other == path and (problem["type"], found["type"]) == ("list_type", "literal_error"))
        for other, found in problems
    )


def _kinds_at(path: str, problems: list[tuple[str, Any]]) -> list[str]:
    """The kinds that a value was tried as and is none of, as people write them."""
    found = [problem for other, problem in problems if other == path]
    if not all(problem["type"].endswith(_OF_ANOTHER_KIND) for problem in found):
        return []
    kinds = [one for one in found if not _is_beside_the_point(path, one, problems)]
    return [wanted(one).removeprefix("give ") for one in kinds]


def _wrong_value(problem: Any) -> str:
    """A number that YAML reads as text is told as it has to be written."""
    allowed, found = wanted(problem), problem["input"]
    if "number" in allowed and isinstance(found, str) and (number := number_advice(found)):
        return number
    return f"{allowed}; found {_short(found)}{advice(problem)}"


def _yaml_path(loc: tuple[int | str, ...], odd: Mapping[tuple[int | str, ...], object]) -> str:
    # Union members show up in `loc` under their type's name: not part of the YAML.
    noise = {"bool", "int", "str", "list", "constrained-int", "literal['auto']"}
    text = ""
    for place, part in enumerate(loc, 1):
        if loc[:place] in odd:
            text += f".{_as_written(odd[loc[:place]])}"
        elif isinstance(part, int):
            text += f"[{part}]"
        elif part.lower() not in noise and not part.startswith(_SHAPES):
            text += f".{part}" if text else part
    return text or _FILE


def _short(value: Any) -> str:
    # A date is one by the way it is written.
    text = "nothing" if value is None else str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
