"""Sheets for people who rate, and their ratings."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING

from itemeval_assets.core.design.selection import Words
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError

from .arguments import as_study, flag

if TYPE_CHECKING:
    from itemeval_assets.ratings.records import NextRatings, RatingsSummary, SheetSummary
    from itemeval_assets.ratings.sheets.sheets import Asked


def ratings_sheet(
    config: str | Path | Study,
    rater: str,
    out: str | Path = "sheet.csv",
    *,
    n: int = 40,
    seed: int = 0,
    rubric: str | None = None,
    scale: tuple[float, float] | None = None,
    again: bool = False,
    conditions: Words = None,
) -> "SheetSummary":
    """Write a sheet of `n` answers for a person to rate: CSV, a workbook, or a page of HTML.

    No model is named on it. The answers are drawn at random by `seed`, as many of each condition;
    none that this rater has rated or has on a sheet, unless `again`; none of waves, unless
    `conditions` names some: labels, slugs, ids or models. `rubric` and `scale` are needed where
    the study has several. The rater need not be in the YAML yet. Raises an ItemevalAssetsError
    where nothing can be written.
    """
    from itemeval_assets.ratings.sheets.sheets import write_sheet

    asked = _asked(rater, n, seed, rubric, scale, flag("again", again))
    asked = replace(asked, conditions=conditions)
    if not isinstance(out, (str, Path)):
        raise ConfigError(f"out: {out!r} is no path: give a str or a Path")
    return write_sheet(as_study(config), asked, Path(out))


def next_ratings(
    config: str | Path | Study,
    rater: str,
    *,
    n: int = 40,
    seed: int = 0,
    rubric: str | None = None,
    scale: tuple[float, float] | None = None,
) -> "NextRatings":
    """What `n` more ratings would bring: by how much the intervals of the means would shrink."""
    from itemeval_assets.ratings.sheets.sheets import next_ratings as foreseen

    return foreseen(as_study(config), _asked(rater, n, seed, rubric, scale, False))


def import_ratings(
    path: str | Path,
    config: str | Path | Study,
    *,
    rater: str | None = None,
    on_note: Callable[[str], None] | None = None,
) -> "RatingsSummary":
    """Take in the ratings of a filled-in sheet. A rater that the YAML lacks is written into it.

    A sheet may be in another order, be rated in part, and come in twice. Raises an
    ItemevalAssetsError that names each row which cannot be taken: then nothing was.
    """
    from itemeval_assets.ratings.taking.taking import import_ratings as take_in

    if not isinstance(path, (str, Path)):
        raise ConfigError(f"{path!r} is no path of a sheet: give a str or a Path")
    if not isinstance(rater, (str, NoneType)):
        raise ConfigError(f"rater: {rater!r} is no name: give a text")
    return take_in(Path(path), as_study(config), rater, on_note or (lambda note: None))


def _asked(
    rater: str,
    n: int,
    seed: int,
    rubric: str | None,
    scale: tuple[float, float] | None,
    again: bool,
) -> "Asked":
    from itemeval_assets.measurement.arguments import is_whole
    from itemeval_assets.ratings.sheets.sheets import Asked

    if not isinstance(rater, str) or not isinstance(rubric, (str, NoneType)):
        raise ConfigError(f"rater and rubric are names: found {rater!r} and {rubric!r}")
    if not is_whole(n, 1) or not is_whole(seed):
        raise ConfigError(f"n and seed are whole numbers, n at least 1: found {n!r} and {seed!r}")
    return Asked(rater=rater, rubric=rubric, scale=scale, n=int(n), seed=int(seed), again=again)
