"""Writes the rubrics of a study into a file, for people to look through."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.partitions import RUBRIC, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.core.text.words import counted
from itemeval_assets.stages.items import known
from itemeval_assets.storage.objects.new_files import write_new
from itemeval_assets.storage.study.store import ResultsStore, open_store

from .records import RubricsSummary
from .table import as_bytes, too_long

__all__ = ["export_rubrics", "require_written", "stored_rows"]

_COLUMNS = ["item_id", "rubric", "item_rubric_hash", "error", "edited", "edited_by"]


def export_rubrics(study: Study, path: Path) -> RubricsSummary:
    """Write all rubrics that models have written, item by item.

    Raises ConfigError or StoreError, and writes nothing, for a file that is there, and where there
    is no rubric.
    """
    require_written(study)
    if path.exists():
        raise ConfigError(f"{path}: there is such a file already; give another name")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent}; make it first")
    store = open_store(study, look=True)
    store.require_layout()
    items = known(study, store).table.to_pylist()
    rows = [*_rows(study, store, items)]
    if not rows:
        raise StoreError(
            f"study {study.name} has no rubric yet. Have them written first: itemeval-assets run "
            f"{study.config_path} --only {RUBRIC.table}"
        )
    write_new({path: as_bytes(rows, path)})
    long = too_long(rows, path)
    return RubricsSummary(
        study=study.name,
        config=str(study.config_path),
        path=str(path),
        rubrics=len(rows),
        edited=sum(row["edited"] for row in rows),
        missing=len(items) * len(study.design.written) - len(rows),
        words=[
            f"{counted(long, 'rubric')} of the file: longer than a cell of Excel holds, which cuts "
            "the rest off. Write a file that ends with .parquet to change these"
        ]
        if long
        else [],
    )


def require_written(study: Study) -> None:
    """Raise ConfigError where no model writes rubrics."""
    if not study.design.written:
        raise ConfigError(
            f"{study.config_path}: no model writes rubrics in this study; declare them under "
            "`rubrics`, and name them in facets.rubric"
        )


def stored_rows(store: ResultsStore, partition: Partition) -> dict[str, dict[str, Any]]:
    """{item_id: its row} of the rubrics that are there."""
    rows = store.read(RUBRIC.table, [partition], _COLUMNS).to_pylist()
    return {row["item_id"]: row for row in rows if row["rubric"] and not row["error"]}


def _rows(study: Study, store: ResultsStore, items: list[Mapping[str, Any]]) -> Any:
    for condition in study.design.written:
        stored = stored_rows(store, Partition((condition.id,)))
        for item in items:
            if row := stored.get(item["item_id"]):
                yield {"rubric_name": condition.name, "input": item["input"], **row}
