"""What a key of the YAML wants, in words, where pydantic speaks of types and patterns."""

import json
import re
from collections.abc import Mapping
from datetime import date
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
_NO_BLANK_AFTER_DASH = re.compile(r"(?:^|\s)-(?=[^\s-])")
# What begins like this names a model of that provider.
_BEGINNINGS = {"gpt": "openai", "claude": "anthropic", "gemini": "google", "mistral": "mistral"}

STUDY_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
# `/` would leave the folder of the templates; the rest would break ids or file names.
TEMPLATE_NAME = r"^(builtin:)?[A-Za-z0-9][A-Za-z0-9._-]*$"
FACET_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
WAVE_NAME = r"^[a-z0-9][a-z0-9._-]{0,31}$"
# Minute, hour, day, month, weekday.
CRON = r"^\s*([\d*,/-]+\s+){2}[\d*,/L-]+\s+[\w*,/-]+\s+[\w*,/#-]+\s*$"

_PATTERNS = {
    MODEL_ID: "write a model as <provider>/<model>, without blanks",
    STUDY_NAME: "write at most 64 small letters, digits, `-` and `_`, a letter or digit first",
    TEMPLATE_NAME: "write the name of a template file without its folder and `.md`, or "
    "builtin:NAME",
    FACET_NAME: "write letters, digits, `.`, `-` and `_`, a letter or digit first",
    WAVE_NAME: "write at most 32 small letters, digits, `.`, `-` and `_`, a letter or digit first",
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
        return as_text(value) if problem["type"] == "string_type" else ""
    if value.startswith("$") or "${" in value:
        return "; environment variables are not filled in: write the value itself"
    if problem["type"] == "literal_error":
        words = context["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return _meant(nearest(value, words))
    guess = {MODEL_ID: _model_id, STUDY_NAME: _study_name}.get(context.get("pattern", ""))
    return _meant(guess(value)) if guess else ""


def _model_id(value: str) -> str | None:
    """The text with the provider that its beginning tells."""
    providers = (name for start, name in _BEGINNINGS.items() if value.startswith(start))
    provider = next(providers, None)
    return f"{provider}/{value}" if provider and " " not in value else None


def _study_name(value: str) -> str | None:
    """The text as a name of a study; None where too little of it would be left."""
    name = re.sub(r"[^a-z0-9_-]+", "_", value.lower()).strip("_-")
    is_near = value.isascii() and re.match(STUDY_NAME, name)
    return name if is_near else None


def as_section(problem: Mapping[str, Any]) -> str:
    """How a text that stands alone is written as an entry with keys; empty where none is known."""
    value, key = problem["input"], _KEY_OF_ENTRY.get(problem["loc"][:-1])
    return f"; write {{{key}: {_plain(value)}}}" if key and isinstance(value, str) else ""


def as_text(value: object) -> str:
    """How a text is written that YAML reads as something else; empty where none is known."""
    if isinstance(value, (float, date)):
        return "; put it in quotes"
    if not isinstance(value, bool):
        return f'; put it in quotes: "{value}"' if isinstance(value, int) else ""
    word, other = ("yes", "on") if value else ("no", "off")
    return (
        f"; YAML reads {word} and {other} as {str(value).lower()}: write {word!r} or {other!r} in "
        "quotes"
    )


def _as_list(problem: Mapping[str, Any]) -> str:
    """How one entry that stands alone is written as a list."""
    value, key = problem["input"], _KEY_OF_ENTRY.get(problem["loc"])
    if isinstance(value, str):
        return f"; {as_brackets(value, key)}"
    if not key or not isinstance(value, Mapping):
        return ""
    # A dash without its blank begins the first key.
    value = {str(name).removeprefix("-"): one for name, one in value.items()}
    named = value if key in value else {key: "NAME", **value}
    return f"; write [{{{', '.join(f'{name}: {_plain(one)}' for name, one in named.items())}}}]"


def as_brackets(value: str, key: str | None = None) -> str:
    """What to write for a text that was meant as a list. `key`: of an entry with keys."""
    if _is_in_brackets(value):
        return f"take the quotes off: write {value}"
    names = as_entries(value) if key is None or value.startswith("-") else [value]
    entries = [_plain(name) if key is None else f"{{{key}: {_plain(name)}}}" for name in names]
    why = "a blank is missing after the dash: " if _NO_BLANK_AFTER_DASH.match(value) else ""
    return f"{why}write [{', '.join(entries)}]"


def as_entries(value: str) -> list[str]:
    """The names in a text that has commas or dashes between them, or else the text alone."""
    inner = value[1:-1] if _is_in_brackets(value) else value
    sign = _NO_BLANK_AFTER_DASH if _NO_BLANK_AFTER_DASH.match(value) else ","
    names = [name.strip() for name in re.split(sign, inner)]
    names = names[1:] if sign != "," else names
    return names if all(names) else [value]


def _is_in_brackets(value: str) -> bool:
    return value.startswith("[") and value.endswith("]")


def _plain(value: Any) -> str:
    """A value as YAML has it in one line."""
    is_word = isinstance(value, str) and _WORD.fullmatch(value)
    return value if is_word else json.dumps(value, ensure_ascii=False, default=str)


def _meant(word: str | None) -> str:
    return f"; did you mean {word!r}?" if word else ""
