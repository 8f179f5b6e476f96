"""Reads and writes `template_lock.json`: words of packaged templates that an import has brought.

A study of another tool has answers to its words for `builtin:NAME`. Under that name they stay what
models are asked, so that conditions keep their ids.
"""

from collections.abc import Mapping
from typing import Any

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.prompts.templates import BUILTIN, Template, make_template
from itemeval_assets.storage.objects.backends import open_backend
from itemeval_assets.storage.study.directory import StudyDirectory
from itemeval_assets.storage.study.layout import TEMPLATE_LOCK

# {kind: {name: template}}; the kinds are prompts and rubrics.
Kept = Mapping[str, Mapping[str, Template]]
KINDS = ("prompts", "rubrics")
NONE_KEPT: Kept = {kind: {} for kind in KINDS}


def read_template_lock(config: StudyConfig, location: str) -> Kept:
    """The kept templates of a study. Raises StoreError for a damaged file.

    The folder of the study, which may be a bucket, is looked into only where the YAML names a
    packaged template.
    """
    named = [*config.facets.prompt, *config.facets.rubric]
    if not any(name.startswith(BUILTIN) for name in named):
        return NONE_KEPT
    directory = StudyDirectory(open_backend(location), config.study)
    document = directory.read_json(TEMPLATE_LOCK) or {}
    path = directory.backend.uri(TEMPLATE_LOCK)
    try:
        return {
            kind: {name: _template(name, path, kept) for name, kept in document[kind].items()}
            if kind in document
            else {}
            for kind in KINDS
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise directory.damaged(TEMPLATE_LOCK, "does not hold templates") from error


def add_to_template_lock(directory: StudyDirectory, kept: Kept) -> None:
    """Keep templates, beside those that are kept."""

    def add(document: dict[str, Any]) -> dict[str, Any]:
        new = {
            kind: {name: {"sha256": one.sha256, "text": one.text} for name, one in found.items()}
            for kind, found in kept.items()
            if found
        }
        return {**document, **{kind: {**document.get(kind, {}), **new[kind]} for kind in new}}

    directory.update_json(TEMPLATE_LOCK, add)


def _template(name: str, path: str, kept: Mapping[str, str]) -> Template:
    found = make_template(name, path, kept["text"])
    if found.sha256 != kept["sha256"]:
        raise ValueError(f"the text of {name} is another one than its hash says")
    return found
