"""Where the noise comes from: a variance for each facet and each interaction of facets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..arguments import checked
from ..columns import Frame
from ..intervals import checked_level
from ..records import MeasurementError
from ..rounding import is_constant
from .design import Design
from .figures import Figures, by_likelihood, by_squares, degrees
from .grid import Grid, read_grid

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Components", "variance_components"]

FEW_DEGREES = 5
# A residual of this share of all variance is one of rounding.
_NOTHING = 1e-12


@dataclass(frozen=True)
class Components:
    """The variance of each source.

    `table` has a row per source: source, df, mean_square (null for REML), variance, low, high (null
    where a source is fixed), estimate (as it came, where `variance` is 0 instead of negative),
    negative and fixed. `n` has the levels of each facet, within its nest. `reason` says why
    `method` was used.
    """

    table: "pd.DataFrame"
    method: Literal["ems", "reml"]
    reason: str
    object: str
    n: Mapping[str, int]
    level: float
    n_events: int
    n_missing: int
    design: Design
    warnings: tuple[str, ...] = ()

    def variance(self, *facets: str) -> float:
        """The variance of the source of these facets, in any order."""
        wanted = frozenset(facets)
        for place, source in enumerate(self.design.sources):
            if source == wanted or self.design.name(source) == ":".join(facets):
                return float(self.table["variance"].iloc[place])
        raise MeasurementError(
            f"{':'.join(facets)!r} is no source. These are: {', '.join(self.table['source'])}."
        )


@checked
def variance_components(
    frame: Frame,
    facets: Sequence[str],
    *,
    score: str = "score",
    nested: Mapping[str, str | Sequence[str]] | None = None,
    fixed: str | Sequence[str] = (),
    method: Literal["auto", "ems", "reml"] = "auto",
    level: float = 0.95,
) -> Components:
    """The variance components of a design: `facets` are columns, the object of measurement first.

    Full grids: expected mean squares (Brennan 2001, Generalizability Theory), with modified
    large-sample intervals. Grids with holes: REML (Patterson & Thompson 1971, Biometrika 58), with
    Satterthwaite's intervals. Both take effects for normal and independent. A facet that is nested
    in others is named in `nested`. Several rows of one cell make the source `residual`; without
    them the largest source holds the residual. Sources of `fixed` facets alone are no variances of
    a population: their figure is the spread of just these levels.
    """
    if method not in ("auto", "ems", "reml"):
        raise MeasurementError(f"method is {method!r}: choose auto, ems or reml.")
    checked_level(level)
    fixed = [fixed] if isinstance(fixed, str) else list(fixed)
    grid = read_grid(frame, facets, score=score, nested=nested, fixed=fixed)
    if all(grid.design.is_fixed(source) for source in grid.design.sources):
        raise MeasurementError("All facets are fixed: leave at least one of them random.")
    df = degrees(grid)
    is_full = grid.n_holes == 0
    if method == "ems" and not is_full:
        raise MeasurementError(_holes_of(grid) + " Use method='reml', or 'auto'.")
    used = "ems" if is_full and method != "reml" else "reml"
    if is_constant(grid.score):
        figures = Figures.zero(grid.design)
    elif used == "ems":
        figures = by_squares(grid, level)
    else:
        figures = _by_likelihood(grid, level)
    return Components(
        table=_table(grid.design, df, figures, used),
        method=used,
        reason=_reason(grid, is_full, method),
        object=facets[0],
        n=dict(grid.design.n),
        level=level,
        n_events=len(grid.score),
        n_missing=grid.n_missing,
        design=grid.design,
        warnings=tuple(_said(grid, df, figures)),
    )


def _by_likelihood(grid: Grid, level: float) -> Figures:
    """As `by_likelihood`. Few scores may allow no maximum: then matrices cannot be inverted, or
    nothing is left to the residual, whose likelihood has no bound."""
    try:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            figures = by_likelihood(grid, level)
            if figures.estimates[-1] <= _NOTHING * figures.estimates.sum():
                raise np.linalg.LinAlgError("no residual")
            return figures
    except np.linalg.LinAlgError as error:
        raise MeasurementError(
            f"{_holes_of(grid)} REML finds no components in the {len(grid.score):,} scores that"
            " there are: give more scores, or leave out the items with holes."
        ) from error


def _reason(grid: Grid, is_full: bool, asked: str) -> str:
    """Why this method."""
    if asked != "auto":
        return f"{asked} was asked for"
    return "no cell is missing, and all have as many rows" if is_full else _holes_of(grid)


def _holes_of(grid: Grid) -> str:
    size = grid.n_holes + len(grid.score)
    shape = " x ".join(f"{grid.design.n[facet]} {facet}" for facet in grid.design.facets)
    return f"{grid.n_holes:,} of {size:,} cells ({shape}) have no score."


def _table(design: Design, df: np.ndarray, figures: Figures, used: str) -> "pd.DataFrame":
    import pandas as pd

    fixed = np.array([design.is_fixed(source) for source in design.sources])
    limits = np.array(figures.limits)
    nullable = {
        name: pd.array(np.where(hidden, 0.0, values), dtype="Float64")
        for name, values, hidden in (
            ("mean_square", figures.squares, used == "reml"),
            ("low", limits[:, 0], fixed),
            ("high", limits[:, 1], fixed),
        )
    }
    if used == "reml":
        nullable["mean_square"][:] = pd.NA
    for name in ("low", "high"):
        nullable[name][fixed] = pd.NA
    return pd.DataFrame(
        {
            "source": [design.name(source) for source in design.sources],
            "df": df,
            "mean_square": nullable["mean_square"],
            "variance": np.maximum(figures.estimates, 0.0),
            "low": nullable["low"],
            "high": nullable["high"],
            "estimate": figures.estimates,
            "negative": figures.estimates < 0,
            "fixed": fixed,
        }
    )


def _said(grid: Grid, df: np.ndarray, figures: Figures) -> Iterator[str]:
    """What to say beside the components."""
    design = grid.design
    names = [design.name(source) for source in design.sources]
    if is_constant(grid.score):
        yield f"All scores are {grid.score[0]:g}: there is no variance to divide."
        return
    if grid.n_missing:
        yield f"{grid.n_missing:,} rows without a score are left out."
    negative = [name for name, value in zip(names, figures.estimates, strict=True) if value < 0]
    if negative:
        yield f"Negative estimates are set to 0: {', '.join(negative)}."
    few = [
        f"{name} ({n})"
        for name, n, source in zip(names, df.tolist(), design.sources, strict=True)
        if n < FEW_DEGREES and not design.is_fixed(source)
    ]
    if few:
        yield (f"Few degrees of freedom, so hardly known: {', '.join(few)}.")
