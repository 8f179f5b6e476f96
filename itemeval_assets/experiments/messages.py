"""What Dagster shows of a run: counts, files, the specs that failed, and errors."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets.core.errors import ItemevalAssetsError

if TYPE_CHECKING:
    import pandas as pd

    from .published import ExperimentRun

__all__ = ["all_failed", "error_rows", "run_metadata", "users_errors"]

# Rows that a table in the UI has.
SHOWN = 20


@contextmanager
def users_errors() -> Iterator[None]:
    """An error that the user can act on ends the op with its message and no retry."""
    try:
        yield
    except ItemevalAssetsError as error:
        raise dg.Failure(
            description=str(error),
            metadata={"error": type(error).__name__, "exit_code": error.exit_code},
            allow_retries=False,
        ) from error


def run_metadata(run: "ExperimentRun[Any, Any]") -> dict[str, Any]:
    """Counts of specs, where each frame is, the first rows, and the specs that failed."""
    completion, files = run.status(), run.list_results_files()
    metadata: dict[str, Any] = {
        "dagster/row_count": completion.succeeded or 0,
        "specs": completion.specs or 0,
        "succeeded": completion.succeeded or 0,
        "failed": completion.failed or 0,
        "run": dg.MetadataValue.path(run.uri),
    }
    metadata |= {
        f"final/{name}": dg.MetadataValue.path(run.backend.uri(key)) for name, key in files.items()
    }
    preview = run.head("scalars", SHOWN)
    if len(preview):
        metadata["preview"] = _table(preview)
    if completion.failed:
        metadata["errors"] = error_rows(run)
    return metadata


def error_rows(run: "ExperimentRun[Any, Any]") -> dg.TableMetadataValue:
    """The first specs that failed, with their error."""
    return _table(run.head("errors", SHOWN), ("error_type", "message"))


def all_failed(run: "ExperimentRun[Any, Any]") -> dg.Failure:
    """The end of a run of which no spec succeeded."""
    first = run.head("errors", 1).iloc[0]
    key = run.list_results_files()["errors"]
    return dg.Failure(
        description=(
            f"{run.experiment_id}: every spec failed; the first with "
            f"{first['error_type']}: {str(first['message'])[:300]}. "
            f"All errors: {run.backend.uri(key)}. Materialize the partition again to retry"
        ),
        metadata={"errors": error_rows(run), "error": "RunFailed", "exit_code": 1},
        allow_retries=False,
    )


def _table(frame: "pd.DataFrame", columns: tuple[str, ...] | None = None) -> dg.TableMetadataValue:
    """Rows with the levels that tell specs apart; ids of runs say nothing here."""
    levels = [
        name
        for name in frame.index.names
        if name not in ("experiment_id", "workflow_run_id", "root_workflow_run_id")
    ]
    shown = frame.reset_index()[[*levels, *(columns or frame.columns)]]
    records = [
        dg.TableRecord({str(name): _cell(value) for name, value in row.items()})
        for row in shown.to_dict("records")
    ]
    schema = dg.TableSchema([dg.TableColumn(str(name), "any") for name in shown.columns])
    return dg.TableMetadataValue(records, schema)


def _cell(value: Any) -> str | int | float | bool:
    """A value as a table of the UI holds it."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, (bool, int)) else str(value)
