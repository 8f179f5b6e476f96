"""The documents of a release: its schema, the inputs as they were, the manifests, the card."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import Field, create_model

from itemeval_assets.core.column_notes import COLUMN_NOTES
from itemeval_assets.core.releases import CELL_COLUMNS, EVENT_COLUMNS
from itemeval_assets.core.secrets import redacted
from itemeval_assets.core.study import Study
from itemeval_assets.core.tables import GRADINGS_LONG
from itemeval_assets.core.templates import Template
from itemeval_assets.experiments import (
    ExperimentInputSpec,
    ExperimentOutputSpec,
    FileReference,
)
from itemeval_assets.experiments.io_schema import io_schema
from itemeval_assets.storage.layout import manifest_key
from itemeval_assets.storage.store import ResultsStore

from .frames import LOG_COLUMNS

__all__ = ["input_files", "manifest_bytes", "manifests_of", "release_schema"]

FILE: Any = FileReference
PYTHON = {"string": str, "int32": int, "int64": int, "float64": float, "bool": bool}


def release_schema() -> dict[str, Any]:
    """JSON Schema of a cell and of a grading event, from the columns of gradings_long."""
    logs = {
        name: (FILE | None, Field(None, description=COLUMN_NOTES.get(column)))
        for name, column in LOG_COLUMNS.items()
    }
    cell = create_model("Cell", __base__=ExperimentInputSpec, **_fields(CELL_COLUMNS))
    event = create_model("Event", __base__=ExperimentOutputSpec, **_fields(EVENT_COLUMNS), **logs)  # type: ignore[call-overload]
    return io_schema(cell, event)


def input_files(study: Study) -> dict[str, dict[str, bytes]]:
    """The study file, prompts and rubrics, by kind and file name; secrets are left out."""
    config = yaml.safe_dump(
        redacted(study.config.as_yaml_dict()), sort_keys=False, allow_unicode=True
    )
    rubrics = [found.rubric for found in study.design.grade if found.rubric]
    return {
        "config": {"study.yaml": config.encode()},
        "prompt": _texts(found.prompt for found in study.design.generate),
        "rubric": _texts(rubrics),
    }


def manifests_of(store: ResultsStore, run_ids: Iterable[str]) -> Sequence[Mapping[str, Any]]:
    """The manifests of these runs, oldest first; a run whose manifest is gone has none."""
    found = (store.read_json(manifest_key(run_id)) for run_id in sorted(set(run_ids)))
    return sorted(filter(None, found), key=lambda manifest: manifest["created_at"])


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def _texts(templates: Iterable[Template]) -> dict[str, bytes]:
    return {_file_name(found): redacted(found.text).encode() for found in templates}


def _file_name(template: Template) -> str:
    """A packaged and a local template may share a name; their hashes differ."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', template.short_name)}-{template.hash}.md"


def _fields(names: Iterable[str]) -> dict[str, Any]:
    columns = {column.name: column for column in GRADINGS_LONG.columns}
    return {
        name: (
            PYTHON[columns[name].type] | None,
            Field(None, description=columns[name].note or COLUMN_NOTES.get(name)),
        )
        for name in names
    }
