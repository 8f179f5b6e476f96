"""What Dagster shows of a run: specs that failed, counts, files, the first rows, and errors."""

import os
from collections.abc import Callable
from typing import Any

import dagster as dg
import pandas as pd

from itemeval_assets.core.errors import RunFailed
from itemeval_assets.core.text.secrets import beginning
from itemeval_assets.dagster_io.failures import for_user, in_event
from itemeval_assets.experiments.outputs.survey import ERRORS, SCALARS
from itemeval_assets.experiments.read.frame_details import frames_of
from itemeval_assets.experiments.read.preview import preview
from itemeval_assets.experiments.read.run import ExperimentRun

# Of a table in the UI: rows, columns, and characters of a text.
_SHOWN, _MOST_COLUMNS, _MOST_CHARACTERS = 20, 50, 1000


def run_metadata(run: ExperimentRun) -> dict[str, Any]:
    """The specs that failed, counts, the first rows, and where each frame is."""
    completion, files = run.status(), run.list_results_files()
    failed = completion.failed or 0
    shown = _shown(lambda: _table(run.head(SCALARS, _SHOWN))) if completion.succeeded else None
    return {
        "failed": failed,
        **({"errors": error_rows(run)} if failed else {}),
        "specs": completion.specs or 0,
        "succeeded": completion.succeeded or 0,
        "dagster/row_count": completion.succeeded or 0,
        **({"preview": shown} if shown else {}),
        **_columns(run),
        "run": dg.MetadataValue.path(run.uri),
        **{
            f"final/{name}": dg.MetadataValue.path(run.backend.uri(key))
            for name, key in files.items()
        },
    }


def _columns(run: ExperimentRun) -> dict[str, dg.MetadataValue]:
    """The columns of the scalars, with what the schema says of them; and how pandas reads them."""
    try:
        details = frames_of(run, only=SCALARS)[SCALARS]
    except Exception as error:
        return {"read": _not_shown(error)}
    kinds = (details.index | details.columns).items()
    parts = ((name, *kind.partition(": ")) for name, kind in kinds)
    columns = [dg.TableColumn(name, kind, description=about) for name, kind, _, about in parts]
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "read": dg.MetadataValue.md(f"```python\n{details.load}\n```"),
    }


def error_rows(run: ExperimentRun) -> dg.MetadataValue:
    """The first specs that failed, with their error."""
    first = ("sort_index", "error_type", "message")
    return _shown(lambda: _table(run.head(ERRORS, _SHOWN), ("traceback",), first))


def all_failed(run: ExperimentRun) -> dg.Failure:
    """The end of a run of which no spec succeeded."""
    first = run.head(ERRORS, 1).iloc[0]
    key = run.list_results_files()[ERRORS]
    error = RunFailed(
        f"{run.experiment_id}: every spec failed; the first with "
        f"{first['error_type']}: {in_event(str(first['message']))[:300]}. "
        f"All errors: {run.backend.uri(key)}. Materialize the partition again to retry"
    )
    return for_user(error, errors=error_rows(run))


def _shown(make: Callable[[], dg.MetadataValue]) -> dg.MetadataValue:
    """What is made to be looked at, or why it could not be: nothing to look at is worth a run."""
    try:
        return make()
    except Exception as error:
        return _not_shown(error)


def _not_shown(error: Exception) -> dg.MetadataValue:
    return dg.MetadataValue.text(in_event(f"not shown: {type(error).__name__}: {error}"))


def _table(
    frame: pd.DataFrame, hidden: tuple[str, ...] = (), first: tuple[str, ...] = ()
) -> dg.TableMetadataValue:
    """Rows with the levels that tell specs apart, as far as a page has room for them."""
    names, rows = preview(frame, hidden, first)
    more = len(names) - _MOST_COLUMNS
    names = names[:_MOST_COLUMNS]
    columns = [*names, *([f"and {more:,} more"] if more > 0 else [])]
    schema = dg.TableSchema([dg.TableColumn(name, "any") for name in columns])
    records = [dg.TableRecord(dict.fromkeys(columns, "...") | _cells(names, row)) for row in rows]
    return dg.TableMetadataValue(records, schema)


def _cells(names: list[str], row: list[Any]) -> dict[str, Any]:
    values = zip(names, row, strict=False)
    return {
        name: beginning(value, _MOST_CHARACTERS, os.environ) if isinstance(value, str) else value
        for name, value in values
    }
