"""What the Dagster UI shows of an asset: columns, counts, cost, files."""

import os
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.partitions import GRADE, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.column_notes import COLUMN_NOTES
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.partitions import by_partition
from itemeval_assets.storage.study.layout import log_dir, manifest_key, table_key

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

    from itemeval_assets.core.design.cells.cell_table import Answers
    from itemeval_assets.core.money.spend import Spend
    from itemeval_assets.report.views import View
    from itemeval_assets.stages.calls.stage_run import StageRun
    from itemeval_assets.stages.figures.planned import PlannedCells
    from itemeval_assets.stages.outcome import Outcome
    from itemeval_assets.stages.views.cells import CellView


@cache
def column_schema(table: str) -> dict[str, Any]:
    """The columns of a table, as the UI shows them."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=column.note or COLUMN_NOTES.get(column.name),
            constraints=dg.TableColumnConstraints(nullable=not column.required),
        )
        for column in TABLES[table].columns
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def table_metadata(study: Study, table: str) -> dict[str, Any]:
    """Definition metadata: columns, key, and where the table lies."""
    return {
        **column_schema(table),
        "key": ", ".join(TABLES[table].key),
        "table": dg.MetadataValue.path(study.uri(table_key(table))),
        "config": dg.MetadataValue.path(str(study.config_path)),
    }


def generate_conditions(study: Study) -> dict[str, Any]:
    """What each key of the generate dimension means."""
    keys = PartitionKeys(study).generate
    records = [
        dg.TableRecord(
            {
                "partition": keys[condition.id],
                "condition_id": condition.id,
                "label": condition.label,
                "model": condition.model,
                "prompt": condition.prompt.name,
                "model_config": condition.model_config_name,
                "settings": _settings(condition.params),
            }
        )
        for condition in study.design.generate
    ]
    return {"generate conditions": dg.MetadataValue.table(records)}


def grade_conditions(study: Study) -> dict[str, Any]:
    """What each key of the grade dimension means."""
    keys = PartitionKeys(study).grade
    records = [
        dg.TableRecord(
            {
                "partition": keys[condition.id],
                "condition_id": condition.id,
                "label": condition.label,
                "graded by": condition.grader.name,
                "model": condition.grader.columns.get("grader_model", "none"),
                "rubric": condition.grader.columns.get("rubric_name", ""),
            }
        )
        for condition in study.design.grade
    ]
    return {"grade conditions": dg.MetadataValue.table(records)}


def _settings(params: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in params.items()) or "provider's defaults"


def usd(amount: float) -> float:
    """An amount without the noise of float sums."""
    return round(amount, 9)


def view_table(view: "View") -> dict[str, Any]:
    """A view as a table under its title, and what all its rows have in common.

    Of no rows an empty one, for which Dagster wants a schema.
    """
    from itemeval_assets.report.render.asset_page import on_asset_page

    found = on_asset_page(view)
    rows = [dg.TableRecord(row) for row in found.rows]
    table = dg.MetadataValue.table(rows, schema=None if rows else dg.TableSchema(columns=[]))
    common = {f"{view.title}, all rows": found.in_all_rows} if found.in_all_rows else {}
    return {**common, view.title: table}


def spend_table(spends: "Sequence[Spend]") -> dict[str, Any]:
    """Spend per model; what caches and batches saved is negative: list price to price paid."""
    from itemeval_assets.report.views import spend_view

    return view_table(spend_view(spends))


def picture(name: str, draw: "Callable[[], Figure]") -> dg.MarkdownMetadataValue:
    """What `draw` draws, or why it could not: no picture is worth a failed run."""
    from itemeval_assets.report.plots.figures import markdown_image

    try:
        return dg.MetadataValue.md(markdown_image(draw(), name))
    except Exception as error:
        reason = without_secrets(f"{type(error).__name__}: {error}", os.environ)
        return dg.MetadataValue.md(f"could not be drawn: {reason}")


def call_metadata(
    run: "StageRun", table: str, outcome: "Outcome"
) -> dict[Partition, dict[str, Any]]:
    """Per partition: how it stands after this run, what the run cost, where the evidence is."""
    standing, rows = _Standing(run, table), by_partition(outcome.rows, table)
    return {
        partition: {
            "condition": run.study.design.label_of(partition),
            **standing.of(partition, rows[partition]),
            "recovered calls": outcome.recovered.get(partition, 0),
            **({"held back calls": outcome.held_back} if outcome.held_back else {}),
            **_places(run, table, partition),
        }
        for partition in outcome.pending
    }


class _Standing:
    """How the partitions of a table stand after a run."""

    def __init__(self, run: "StageRun", table: str) -> None:
        self._run, self._table = run, table
        self._answers: dict[Partition, Answers] = {}

    def of(self, partition: Partition, new: "pa.Table") -> dict[str, Any]:
        """Rows, errors and, of gradings, scores and unparsed replies; what this run added."""
        from itemeval_assets.core.tables.upsert import upsert

        table = self._table
        stored = self._run.store.read(table, [partition])
        rows = upsert(TABLES[table], stored, new).rows if new.num_rows else stored
        spent = sum(amount or 0.0 for amount in new["usd"].to_pylist())
        return {
            "dagster/partition_row_count": rows.num_rows,
            "errored rows": rows.num_rows - rows["error"].null_count,
            **(self._scores(partition, rows) if table == "gradings" else {}),
            "rows of this run": new.num_rows,
            "usd of this run": usd(spent),
        }

    def _scores(self, partition: Partition, rows: "pa.Table") -> dict[str, Any]:
        from itemeval_assets.core.records.scores import graded
        from itemeval_assets.report.render.histogram import histogram
        from itemeval_assets.report.render.scores import mean_with_certainty

        cells = self._cells(partition, rows)
        found = graded(cells)
        scores = mean_with_certainty(stages.scores.score_of(self._planned, partition, cells))
        if found.failures:
            scores["unparsed"] = found.failures
        if found.scored:
            scores["score distribution"] = dg.MetadataValue.md(histogram(found))
        return scores

    def _cells(self, partition: Partition, rows: "pa.Table") -> "pa.Table":
        condition = partition.solutions
        if condition not in self._answers:
            self._answers = {condition: self._view.read_answers(self._run.store, condition)}
        return self._view.table(partition, self._answers[condition], rows)

    @cached_property
    def _view(self) -> "CellView":
        return stages.cells.CellView(self._run.study, self._run.items, self._run.options.policy)

    @cached_property
    def _planned(self) -> "PlannedCells":
        from itemeval_assets.stages.figures.planned import PlannedCells

        run = self._run
        return PlannedCells(run.study, run.store, run.items, run.options.policy)


def _places(run: "StageRun", table: str, partition: Partition) -> dict[str, Any]:
    """Where the rows lie, the logs of their calls, and the manifest of the run."""
    places = {"path": table_key(table, partition), "manifest": manifest_key(run.run_id)}
    if partition.stage is not GRADE or not run.study.design.is_free(partition):
        places["logs"] = log_dir(partition)
    return {name: dg.MetadataValue.path(run.study.uri(key)) for name, key in places.items()}
