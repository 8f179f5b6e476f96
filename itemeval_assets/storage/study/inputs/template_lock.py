"""Reads and writes the words of packaged templates that an import has brought.

A study of another tool has answers to its words for `builtin:NAME`. Under that name they stay what
models are asked, so that conditions keep their ids. Like other templates the file,
`<study>.template_lock.json`, lies beside the YAML: to load a study takes no network.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.prompts.templates import Template, make_template
from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.storage.own_files import draft_name
from itemeval_assets.storage.study.layout import template_lock

from .unreadable import unreadable

# {kind: {name: template}}; the kinds are prompts and rubrics.
Kept = Mapping[str, Mapping[str, Template]]
KINDS = ("prompts", "rubrics")


def lock_path(study: str, folder: Path) -> Path:
    """Where the words of a study are kept; `folder`: that of its YAML."""
    return folder / template_lock(study)


def read_template_lock(study: str, folder: Path) -> Kept:
    """The kept templates of a study; none where there is no such file. Raises ConfigError."""
    path = lock_path(study, folder)
    try:
        document = _document(path)
        return {
            kind: {name: _template(name, path, kept) for name, kept in document[kind].items()}
            if kind in document
            else {}
            for kind in KINDS
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path} does not hold the words of templates: {error}. Restore it from a copy, or "
            "delete it, and import again: the words are found anew"
        ) from error


def add_to_template_lock(study: str, folder: Path, kept: Kept) -> None:
    """Keep templates, beside those that are kept. Raises ConfigError."""
    path = lock_path(study, folder)
    before, after = read_template_lock(study, folder), dict[str, Any]()
    for kind in KINDS:
        words = {**before[kind], **kept.get(kind, {})}
        if words:
            after[kind] = {name: {"sha256": t.sha256, "text": t.text} for name, t in words.items()}
    if after == _document(path):
        return
    text = json.dumps(after, indent=2, ensure_ascii=False) + "\n"
    draft = folder / draft_name()
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}, which keeps words of the imported templates: {error.strerror}"
        ) from error


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(unreadable(path, error)) from error
    document = load_json(text)
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    return document


def _template(name: str, path: Path, kept: Mapping[str, str]) -> Template:
    found = make_template(name, str(path), kept["text"])
    if found.sha256 != kept["sha256"]:
        raise ValueError(f"the text of {name} is another one than its hash says")
    return found
