"""What must be so of an itemeval study before anything of it is taken in."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.errors import ConfigError, StoreError

from .source import Source


def require_two_places(path: str, location: str, config: Path) -> None:
    """Raise ConfigError where the study would be taken in into its own folder, or below."""
    here = path if "://" in path else str(Path(path).expanduser().resolve())
    if f"{location}/".startswith(f"{here.rstrip('/')}/"):
        raise ConfigError(
            f"{config}: output_dir: {location} is the folder of the itemeval study itself, or in "
            "it, and its tables have the same names as ours. Write another `output_dir:` into a "
            "copy of the YAML, and import into that; no id depends on it, and the old folder stays "
            "as it is"
        )


def require_study(source: Source, name: str) -> None:
    """Raise StoreError for rows of another study."""
    for table, rows in (("solutions", source.solutions), ("gradings", source.gradings)):
        for other in rows["study"].unique().to_pylist():
            if other != name:
                raise StoreError(
                    f"{source.location}/{table}.parquet has rows of the study {other!r}, and the "
                    f"config declares {name!r}: name the config of {other!r}. Nothing was taken"
                )


def require_items(source: Source, *tables: pa.Table) -> None:
    """Raise StoreError for a row of an item that the study does not have."""
    known = source.items["item_id"]
    for name, rows in zip(("solutions", "gradings"), tables, strict=True):
        is_known = pc.is_in(rows["item_id"], value_set=known.combine_chunks())  # type: ignore[attr-defined]
        foreign = rows.filter(pc.invert(is_known))["item_id"].to_pylist()  # type: ignore[attr-defined]
        if foreign:
            raise StoreError(
                f"{source.location}/{name}.parquet has rows of the item {foreign[0]!r}, "
                f"which items.parquet does not have. Restore both from one copy. Nothing was taken"
            )


def require_solutions(source: Source, solutions: pa.Table, gradings: pa.Table) -> None:
    """Raise StoreError for a grading without its solution, and for a key that stands twice."""
    answered = _keys(solutions, "condition_id", "item_id", "epoch")
    graded = _keys(gradings, "gen_condition_id", "item_id", "epoch")
    whole = _keys(gradings, "grade_condition_id", "gen_condition_id", "item_id", "epoch")
    for name, keys in (("solutions", answered), ("gradings", whole)):
        repeated = [key for key, count in Counter(keys).items() if count > 1]
        if repeated:
            raise StoreError(
                f"{source.location}/{name}.parquet has two rows of {repeated[0]}. Restore "
                f"it from a copy. Nothing was taken"
            )
    if missing := {*graded} - {*answered}:
        raise StoreError(
            f"{source.location}/gradings.parquet grades {min(missing)}, of which "
            f"solutions.parquet has no row. Restore both from one copy. Nothing was taken"
        )


def _keys(rows: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in columns), strict=True))
