"""What describes items: their metadata, and the data set that they are of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.config.sections import ITEM_COLUMNS
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.nearest import did_you_mean

__all__ = ["CELL_COLUMNS", "NO_GROUP", "ItemColumns", "grouped"]

# The items without a value of a column.
NO_GROUP = "(none)"

# Of each cell, whatever its item.
CELL_COLUMNS = [
    *("item_id", "dataset_id", "replication", "score", "state"),
    *("model", "prompt_name", "model_config_name", "gen_condition_id"),
    *("grade_kind", "grader_name", "grader_model", "rubric_name", "grade_condition_id"),
]


@dataclass(frozen=True)
class ItemColumns:
    """The columns of the items of a study; `metadata` names those of its own data."""

    items: pa.Table
    metadata: Sequence[str]

    def require(self, name: str, what: str) -> str:
        """A column of the items. Raises ConfigError where there is no such one."""
        known = [*self.metadata, *ITEM_COLUMNS]
        if name in self.metadata and name in CELL_COLUMNS:
            raise ConfigError(
                f"{what}: {name!r} is a column of the results, and so cannot be one of the items "
                "here; give the column of your data another name"
            )
        if name in known:
            return name
        raise ConfigError(
            f"{what}: {name!r} is no column of the items (benchmark.mapping.metadata); "
            f"{did_you_mean(str(name), known)}"
        )

    def by_item(self, name: str) -> dict[str, str | None]:
        """{item_id: value} of a column."""
        values = self.items[name] if name in ITEM_COLUMNS else self._values(name)
        return dict(zip(self.items["item_id"].to_pylist(), values.to_pylist(), strict=True))

    def joined(self, rows: pa.Table, names: Sequence[str]) -> pa.Table:
        """Rows with further columns of their items, as names of groups."""
        wanted = [name for name in dict.fromkeys(names) if name not in CELL_COLUMNS]
        if not wanted:
            return rows
        places = pc.index_in(rows["item_id"], value_set=self.items["item_id"])  # type: ignore[attr-defined]
        for name in wanted:
            rows = rows.append_column(name, self._values(name).take(places.combine_chunks()))
        return rows

    def _values(self, name: str) -> pa.Array:
        return pa.array([_text(found.get(name)) for found in self._records], pa.string())

    @cached_property
    def _records(self) -> list[dict[str, object]]:
        return [json.loads(text) for text in self.items["metadata_json"].to_pylist()]


def grouped(rows: pa.Table, name: str) -> pa.Table:
    """Rows with a group each by a column of their items: those without a value are one as well."""
    values = pc.fill_null(rows[name], NO_GROUP)  # type: ignore[attr-defined]
    return rows.set_column(rows.column_names.index(name), name, values)


def _text(value: object) -> str | None:
    """A value of the metadata as the name of a group; a blank text is none."""
    if isinstance(value, str):
        return value if value.strip() else None
    return None if value is None else json.dumps(value)
