"""What a key of the YAML wants, in words, where pydantic speaks of types and patterns."""

import json
import re
from collections.abc import Mapping
from typing import Any

from itemeval_assets.core.text.nearest import nearest
from itemeval_assets.core.text.yaml.sections import MODEL_ID

# By the type of pydantic's error, filled in with its context.
_WANTED = {
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "float_parsing": "give a number",
    "finite_number": "give a finite number",
    "greater_than_equal": "give a number of at least {ge}",
    "greater_than": "give a number above {gt}",
    "less_than_equal": "give a number of at most {le}",
    "string_type": "give a text",
    "string_too_short": "give a text",
    "bool_type": "give true or false",
    "bool_parsing": "give true or false",
    "list_type": "give a list, such as [a, b]",
    "dict_type": "give keys with values, such as {{key: value}}",
    "too_short": "give at least {min_length}",
    "literal_error": "give {expected}",
}
# Lists of entries with keys, and the key that an entry needs.
_KEY_OF_ENTRY = {("benchmark", "datasets"): "id", ("facets", "model_config"): "name"}
_WORD = re.compile(r"[A-Za-z][\w./-]*")
# What begins like this names a model of that provider.
_BEGINNINGS = {"gpt": "openai", "claude": "anthropic", "gemini": "google", "mistral": "mistral"}

STUDY_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
# `/` would leave the folder of the templates; the rest would break ids or file names.
TEMPLATE_NAME = r"^(builtin:)?[A-Za-z0-9][A-Za-z0-9._-]*$"
FACET_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
# Minute, hour, day, month, weekday.
CRON = r"^\s*([\d*,/-]+\s+){2}[\d*,/L-]+\s+[\w*,/-]+\s+[\w*,/#-]+\s*$"

_PATTERNS = {
    MODEL_ID: "write a model as <provider>/<model>, without blanks",
    STUDY_NAME: "write at most 64 small letters, digits, `-` and `_`, a letter or digit first",
    TEMPLATE_NAME: "write the name of a template file without its folder and `.md`, or "
    "builtin:NAME",
    FACET_NAME: "write letters, digits, `.`, `-` and `_`, a letter or digit first",
    CRON: "write a time as five fields, such as '0 3 * * *': minute, hour, day, month, weekday",
}


def wanted(problem: Mapping[str, Any]) -> str:
    """What to write instead, from a finding of pydantic; its own words where we have none."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], str(problem["msg"]))
    return _WANTED[kind].format(**context) if kind in _WANTED else str(problem["msg"])


def advice(problem: Mapping[str, Any]) -> str:
    """What the value may have been meant as; empty where nothing can be seen in it."""
    value, context = problem["input"], problem.get("ctx", {})
    if problem["type"] == "list_type":
        return _as_list(problem)
    if not isinstance(value, str):
        return as_word(value) if problem["type"] == "string_type" else ""
    if problem["type"] == "literal_error":
        words = context["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return _meant(nearest(value, words))
    if context.get("pattern") == MODEL_ID:
        providers = (name for start, name in _BEGINNINGS.items() if value.startswith(start))
        provider = next(providers, None)
        return _meant(f"{provider}/{value}" if provider and " " not in value else None)
    if context.get("pattern") == STUDY_NAME:
        return _meant("_".join(value.lower().split()))
    return ""


def as_section(problem: Mapping[str, Any]) -> str:
    """How a text that stands alone is written as an entry with keys; empty where none is known."""
    value, key = problem["input"], _KEY_OF_ENTRY.get(problem["loc"][:-1])
    return f"; write {{{key}: {_plain(value)}}}" if key and isinstance(value, str) else ""


def as_word(value: object) -> str:
    """How a word is written that YAML reads as true or false; empty for all else."""
    if not isinstance(value, bool):
        return ""
    word, other = ("yes", "on") if value else ("no", "off")
    return (
        f"; YAML reads {word} and {other} as {str(value).lower()}: write {word!r} or {other!r} in "
        "quotes"
    )


def _as_list(problem: Mapping[str, Any]) -> str:
    """How one entry that stands alone is written as a list."""
    value, key = problem["input"], _KEY_OF_ENTRY.get(problem["loc"])
    if isinstance(value, str):
        if key:
            return f"; write [{{{key}: {_plain(value)}}}]"
        return f"; write {in_brackets(as_entries(value))}"
    if not key or not isinstance(value, Mapping):
        return ""
    named = value if key in value else {key: "NAME", **value}
    return f"; write [{{{', '.join(f'{name}: {_plain(one)}' for name, one in named.items())}}}]"


def as_entries(value: str) -> list[str]:
    """The names in a text that has commas between them; the text alone where it has none."""
    names = [name.strip() for name in value.split(",")]
    return names if all(names) else [value]


def in_brackets(names: list[str]) -> str:
    """A list of names as YAML has it in one line."""
    return f"[{', '.join(map(_plain, names))}]"


def _plain(value: Any) -> str:
    """A value as YAML has it in one line."""
    is_word = isinstance(value, str) and _WORD.fullmatch(value)
    return value if is_word else json.dumps(value, ensure_ascii=False, default=str)


def _meant(word: str | None) -> str:
    return f"; did you mean {word!r}?" if word else ""
