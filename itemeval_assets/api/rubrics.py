"""Rubrics that models have written, for people to look through and change."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError

from .arguments import as_study

if TYPE_CHECKING:
    from itemeval_assets.ratings.rubrics.records import RubricsSummary, RubricsTaken


def export_rubrics(config: str | Path | Study, out: str | Path) -> "RubricsSummary":
    """Write the rubrics that models have written into a .csv, .xlsx or .parquet file.

    Raises an ItemevalAssetsError where there is none, and for a file that is there.
    """
    from itemeval_assets.ratings.rubrics.writing import export_rubrics as write

    if not isinstance(out, (str, Path)):
        raise ConfigError(f"out: {out!r} is no path: give a str or a Path")
    return write(as_study(config), Path(out))


def import_rubrics(
    config: str | Path | Study,
    path: str | Path,
    *,
    by: str,
    on_note: Callable[[str], None] | None = None,
) -> "RubricsTaken":
    """Take in the rubrics of a file whose texts a person has changed; `by` names that person.

    Gradings by the texts of before are stale from then on. Raises an ItemevalAssetsError that
    names each row which cannot be taken: then none was.
    """
    from itemeval_assets.ratings.rubrics.taking import import_rubrics as take_in

    if not isinstance(path, (str, Path)):
        raise ConfigError(f"{path!r} is no path of a file of rubrics: give a str or a Path")
    if not isinstance(by, str):
        raise ConfigError(f"by: {by!r} is no name: give a text")
    return take_in(Path(path), as_study(config), by, on_note or (lambda note: None))
