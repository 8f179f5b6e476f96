"""The documents of a release: schema, inputs as they were, manifests, facts of the card."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version as version_of
from typing import Any

from pydantic import Field, create_model

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.spend import spend_by_model
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.records.published.releases import EVENT_COLUMNS, items_of
from itemeval_assets.core.records.stopping import words_on_stopping
from itemeval_assets.core.tables.cells import CELL_COLUMNS
from itemeval_assets.core.tables.column_notes import COLUMN_NOTES
from itemeval_assets.core.tables.schemas import GRADINGS_LONG
from itemeval_assets.core.text.secrets import redacted
from itemeval_assets.core.text.times import now
from itemeval_assets.experiments import (
    ExperimentInputSpec,
    ExperimentOutputSpec,
    FileReference,
)
from itemeval_assets.experiments.publish.artifacts import InputFiles
from itemeval_assets.experiments.spec.io_schema import io_schema
from itemeval_assets.report.card import CardFacts
from itemeval_assets.stages.figures.all_figures import all_figures
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.stages.figures.scores.scores import study_scores
from itemeval_assets.stages.views.seals import notes_on_seals
from itemeval_assets.stages.views.status import survey
from itemeval_assets.storage.study.layout import SEALS
from itemeval_assets.storage.study.store import ResultsStore

from .frames import LOG_COLUMNS
from .results import Draft, Written

_PACKAGE = "itemeval-assets"
_FILE: Any = FileReference
_PYTHON = {"string": str, "int32": int, "int64": int, "float64": float, "bool": bool}


def release_schema() -> dict[str, Any]:
    """JSON Schema of a cell and of a grading event, from the columns of gradings_long."""
    logs = {
        name: (_FILE | None, Field(None, description=COLUMN_NOTES.get(column)))
        for name, column in LOG_COLUMNS.items()
    }
    cell = create_model("Cell", __base__=ExperimentInputSpec, **_fields(CELL_COLUMNS))
    event = create_model("Event", __base__=ExperimentOutputSpec, **_fields(EVENT_COLUMNS), **logs)  # type: ignore[call-overload]
    return io_schema(cell, event)


def input_files(study: Study, store: ResultsStore) -> InputFiles:
    """The study file, prompts, rubrics, files of own scorers, seals, and the roster that models
    were drawn from; secrets are left out."""
    files = {
        "config": {"study.yaml": study.config.public_yaml.encode()},
        "prompt": _texts(condition.prompt for condition in study.design.generate),
        "rubric": _texts(study.design.rubrics),
    }
    scorers = {
        f"{_plain(name)}-{source.hash}.py": redacted(source.text).encode()
        for name, source in study.snapshot.scorers.items()
        if source.text
    }
    sealed, roster = store.read_json(SEALS), study.snapshot.roster
    found = {
        **files,
        "scorer": scorers,
        "seal": {"seals.json": json_bytes(sealed)} if sealed else {},
        "roster": {"roster.txt": "\n".join([*roster.models, ""]).encode()} if roster else {},
    }
    return InputFiles({kind: texts for kind, texts in found.items() if texts})


def card_facts(draft: Draft, written: Written, manifests: Sequence[Mapping[str, Any]]) -> CardFacts:
    """What the card of a release is made of."""
    store, study = draft.store, draft.study
    planned = PlannedCells(study, store, store.read("items"))
    items = planned.items.select(["item_id", "dataset_id"]).to_pylist()
    of_design = set(items_of(study.config, items))
    return CardFacts(
        version=str(draft.run.versioned_experiment.version),
        experiment_id=draft.run.experiment_id,
        released_at=now(),
        config=study.config,
        config_sha256=study.config_sha256,
        models=study.models,
        model_sample=study.model_sample,
        cells=written.cells,
        missing=written.missing,
        items=Counter(item["dataset_id"] for item in items if item["item_id"] in of_design),
        scores=study_scores(planned, written.scores),
        **vars(all_figures(planned)),
        spend=spend_by_model(store.read("log_index")),
        others_usd=written.others_usd,
        manifests=manifests,
        stopping=_stopping(study, store),
        seal=notes_on_seals(study, store, planned.items),
        frames=written.rows,
        package_version=version_of(_PACKAGE),
    )


def _stopping(study: Study, store: ResultsStore) -> str:
    """How the number of items came about where the policy leaves it to `precision`."""
    asked = study.config.precision
    if asked is None or (status := survey(study, store)).tranche is None:
        return ""
    return words_on_stopping(asked, study.config.measurement.level, status.words_of_look)


def json_bytes(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _texts(templates: Iterable[Template]) -> dict[str, bytes]:
    return {_file_name(found): found.public_text.encode() for found in templates}


def _file_name(template: Template) -> str:
    """A packaged and a local template may share a name; their hashes differ."""
    return f"{_plain(template.short_name)}-{template.hash}.md"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _fields(names: Iterable[str]) -> dict[str, Any]:
    columns = {column.name: column for column in GRADINGS_LONG.columns}
    return {
        name: (
            _PYTHON[columns[name].type] | None,
            Field(None, description=columns[name].note or COLUMN_NOTES.get(name)),
        )
        for name in names
    }
