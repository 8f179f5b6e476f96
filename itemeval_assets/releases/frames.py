"""The frames of a release, written partition by partition."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from itemeval_assets.core.records.published.releases import EVENT_COLUMNS
from itemeval_assets.core.tables.cells import CELL_COLUMNS
from itemeval_assets.core.tables.schemas import GRADINGS_LONG, Table
from itemeval_assets.experiments.frames.pandas_schema import Column, pandas_schema
from itemeval_assets.experiments.frames.writing import FrameFiles

from .content import PLACE, PartitionRows, tuples_of

# Where the published copy of a log is, by the column of gradings_long that names the log.
LOG_COLUMNS = {"gen_log": "gen_log_file", "grade_log": "grade_log_file"}


class Frames:
    """The frames in open files, a row group per partition in each."""

    def __init__(self, files: FrameFiles, experiment_id: str, root_run_id: str, cells: int) -> None:
        self._files = files
        self._run = {"experiment_id": experiment_id, "root_workflow_run_id": root_run_id}
        self._cells = cells
        self._next = 0

    def add(self, part: PartitionRows, log_uris: Mapping[str, str]) -> None:
        """Add a partition: its cells to specs, its events to scalars and gradings_long."""
        count = part.cells.num_rows
        levels = self._levels(part, self._next)
        events = part.rows.num_rows
        own = {name: column.slice(0, events) for name, column in levels.items()}
        self._write("specs", levels, {}, n_rows=self._cells)
        self._write("scalars", {name: part.rows[name] for name in EVENT_COLUMNS}, own)
        logs = {
            name: pa.array(
                [log_uris.get(key) for key in part.rows[column].to_pylist()], pa.string()
            )
            for name, column in LOG_COLUMNS.items()
        }
        self._write("result_file_refs", logs, own)
        self.add_table(GRADINGS_LONG, part.rows)
        if part.flaws.num_rows:
            self._write_flaws(part, levels)
        self._next += count

    def add_table(self, table: Table, rows: pa.Table) -> None:
        """Add rows of a table as they are."""
        self._write(table.name, {name: rows[name] for name in table.column_names}, {})

    def _write_flaws(self, part: PartitionRows, levels: Mapping[str, Any]) -> None:
        place = {cell: number for number, cell in enumerate(tuples_of(part.cells, PLACE))}
        where = pa.array([place[cell] for cell in tuples_of(part.flaws, PLACE)])
        reasons = part.flaws["reason"].fill_null("")
        columns = {"error_type": part.flaws["state"], "message": reasons}
        self._write(
            "errors", columns, {name: column.take(where) for name, column in levels.items()}
        )

    def _levels(self, part: PartitionRows, first: int) -> dict[str, Any]:
        count, events = part.cells.num_rows, part.rows.num_rows
        runs = pa.concat_arrays(
            [
                part.rows["grade_run_id"].combine_chunks().cast(pa.string()),
                pa.nulls(count - events, pa.string()),
            ]
        )
        return {
            "experiment_id": pa.array([self._run["experiment_id"]] * count, pa.string()),
            "sort_index": pa.array(range(first, first + count), pa.int64()),
            "workflow_run_id": runs,
            "root_workflow_run_id": pa.array(
                [self._run["root_workflow_run_id"]] * count, pa.string()
            ),
            **{name: part.cells[name] for name in CELL_COLUMNS},
        }

    def _write(
        self, frame: str, columns: Mapping[str, Any], levels: Mapping[str, Any], n_rows: int = 0
    ) -> None:
        if frame not in self._files.rows:
            described = [
                {name: Column(array.type, has_nulls=True) for name, array in part.items()}
                for part in (columns, levels)
            ]
            self._files.open(frame, pandas_schema(described[0], described[1], n_rows))
        arrays = [*columns.values(), *levels.values()]
        self._files.add(frame, pa.table(arrays, schema=self._files.schema(frame)))
