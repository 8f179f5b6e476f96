"""Item response theory: abilities of respondents and difficulties of items on one scale."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..arguments import checked
from ..columns import counted, shortened
from ..numeric import as_numbers
from ..records import MeasurementError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ResponseModel", "irt"]

FEWEST_RESPONDENTS = 30
# The integral over abilities is exact to four digits of the likelihood with these.
_POINTS = 61
_TOLERANCE = 1e-7
_STEPS = 5_000
# The ends of the ranges that mirt looks for parameters in.
_FLATTEST, _STEEPEST, _FARTHEST = 0.1, 5.0, 6.0
_END = 1e-3


@dataclass(frozen=True)
class ResponseModel:
    """P(right) = 1 / (1 + exp(-discrimination * (ability - difficulty))).

    `items` has item, difficulty, discrimination, easiness (-discrimination * difficulty) and their
    standard errors; `persons` has person, ability and its standard error (expected a posteriori).
    In the 1PL the discrimination is 1 for all items and `ability_variance` is estimated, as Rasch
    models have it; in the 2PL the ability variance is 1. `left_out` names the items that all
    respondents answered alike. An item whose likelihood has no maximum in the range
    of mirt has no figures: `warnings` say why.
    """

    items: "pd.DataFrame"
    persons: "pd.DataFrame"
    ability_variance: float
    ability_variance_se: float
    log_likelihood: float
    model: Literal["1pl", "2pl"]
    n_respondents: int
    n_missing: int
    left_out: tuple[Any, ...]
    warnings: tuple[str, ...]


@checked
def irt(matrix: Any, model: Literal["1pl", "2pl"] = "2pl") -> ResponseModel:
    """Fit the one- or two-parameter logistic model (Rasch 1960; Birnbaum 1968).

    `matrix` is respondents x items of 0, 1 and NaN: conditions or models, each once, for
    replications of one are no independent persons. Marginal maximum likelihood by EM over a
    normal ability (Bock & Aitkin 1981, Psychometrika 46, 443-459), with standard errors from the
    observed information, by the `mirt` package of PyPI (extra `irt`). What `mirt` calls 1PL fixes
    both discrimination and ability variance; the textbook's is its 2PL with equal discriminations.
    """
    if model not in ("1pl", "2pl"):
        raise MeasurementError(f"model is {model!r}: choose 1pl or 2pl.")
    table, persons, items = _checked(matrix)
    alike = np.array([len(np.unique(column[~np.isnan(column)])) < 2 for column in table.T])
    left_out = [item for item, drop in zip(items, alike, strict=True) if drop]
    kept = [item for item, drop in zip(items, alike, strict=True) if not drop]
    if len(kept) < 3:
        raise MeasurementError(
            f"{counted(len(kept), 'item')} have both right and wrong answers: a response model"
            " needs three or more."
        )
    table = table[:, ~alike]
    fitted, mirt = _fitted(table, tied=model == "1pl")
    scale = float(fitted.model.parameters["discrimination"][0]) if model == "1pl" else 1.0
    said = []
    if left_out:
        said.append(
            f"{counted(len(left_out), 'item')} answered alike by all, without a finite difficulty:"
            f" {shortened(left_out, 5)}. Left out."
        )
    parameters = _items(fitted, kept, tied=model == "1pl")
    said += _without_estimate(fitted, parameters)
    return ResponseModel(
        items=parameters,
        persons=_persons(mirt, fitted, table, persons, scale),
        ability_variance=scale**2,
        ability_variance_se=_variance_error(fitted, scale) if model == "1pl" else 0.0,
        log_likelihood=float(fitted.log_likelihood),
        model=model,
        n_respondents=len(table),
        n_missing=int(np.isnan(table).sum()),
        left_out=tuple(left_out),
        warnings=tuple(said),
    )


def _checked(matrix: Any) -> tuple[np.ndarray, list, list]:
    """The answers as numbers, and the names of respondents and items."""
    if hasattr(matrix, "column_names"):
        matrix = matrix.to_pandas()
    table = as_numbers(matrix)
    persons = list(matrix.index) if hasattr(matrix, "columns") else list(range(table.size))
    persons, items = persons[: len(table)], list(getattr(matrix, "columns", []))
    if table.ndim != 2 or not table.size:
        raise MeasurementError("matrix is respondents x items, of 0, 1 and NaN.")
    if len(table) < FEWEST_RESPONDENTS:
        raise MeasurementError(
            f"{counted(len(table), 'respondent')}: item response theory needs"
            f" {FEWEST_RESPONDENTS} independent ones or more, and replications of one condition are"
            " not independent. Add conditions, or look at the statistics of items instead."
        )
    if len(set(persons)) < len(persons):
        raise MeasurementError("Respondents repeat: give each one row (a condition once).")
    if not np.isin(table[~np.isnan(table)], (0, 1)).all():
        raise MeasurementError("Answers are 0 or 1: set a passing score for graded ones first.")
    if np.isnan(table).all(axis=1).any():
        raise MeasurementError("A respondent without any answer has no ability: leave it out.")
    return table, persons, items or list(range(table.shape[1]))


def _fitted(table: np.ndarray, *, tied: bool) -> tuple[Any, Any]:
    """The fit of mirt's 2PL, for the 1PL with one discrimination for all items."""
    try:
        import mirt
    except ImportError as error:
        raise MeasurementError(
            "Item response theory needs the package mirt: install '.[irt]'."
        ) from error
    n_items = table.shape[1]
    constraints: Any = [("discrimination", list(range(n_items)))] if tied else None
    fitted = mirt.fit_mirt(
        table,
        model="2PL",
        n_quadpts=_POINTS,
        max_iter=_STEPS,
        tol=_TOLERANCE,
        constraints=constraints,
        accelerate="squarem" if tied else "none",
    )
    if not fitted.converged:
        raise MeasurementError(
            "The response model did not come to rest: some items may be answered alike by almost"
            " all. Leave them out, or fit the 1PL."
        )
    return fitted, mirt


def _items(fitted: Any, names: list, *, tied: bool) -> "pd.DataFrame":
    """The parameters of each item, with errors by the delta method where they are products."""
    import pandas as pd

    n = len(names)
    slope = np.asarray(fitted.model.parameters["discrimination"], dtype=float)
    place = np.asarray(fitted.model.parameters["difficulty"], dtype=float)
    covariance = np.asarray(fitted.vcov, dtype=float)
    variance = np.diag(covariance)
    joint = np.diag(covariance[:n, n:])
    product = place**2 * variance[:n] + slope**2 * variance[n:] + 2 * slope * place * joint
    easiness, error = -slope * place, np.sqrt(product)
    found = pd.DataFrame(
        {
            "item": names,
            "difficulty": -easiness if tied else place,
            "difficulty_se": error if tied else np.sqrt(variance[n:]),
            "discrimination": np.ones(n) if tied else slope,
            "discrimination_se": np.zeros(n) if tied else np.sqrt(variance[:n]),
            "easiness": easiness,
            "easiness_se": error,
        }
    )
    # At the end of the range that the fit allows there is no error, and the end is no estimate.
    figures = found.columns[1:]
    found.loc[found[figures].isna().any(axis=1), figures] = np.nan
    return found


def _without_estimate(fitted: Any, parameters: "pd.DataFrame") -> Iterator[str]:
    """Why items have no figures: by the end of mirt's range at which each stands."""
    lost = parameters["difficulty"].isna().to_numpy()
    slope = np.asarray(fitted.model.parameters["discrimination"], dtype=float)
    place = np.asarray(fitted.model.parameters["difficulty"], dtype=float)
    flat = lost & (slope < _FLATTEST + _END) & (slope.min() < slope.max())
    far = lost & ~flat & (np.abs(place) > _FARTHEST - _END)
    perfect = lost & ~flat & ~far & (slope > _STEEPEST - _END)
    rest = lost & ~far & ~perfect & ~flat
    reasons = (
        (
            far,
            f"the difficulty lies beyond {_FARTHEST:g} standard deviations of ability, the end of"
            " the range that mirt fits, as the answers hardly depend on ability",
        ),
        (perfect, "the answers order these respondents perfectly"),
        (flat, "better respondents hardly do better on them, or not at all"),
        (rest, "the answers leave their parameters open"),
    )
    for those, why in reasons:
        if those.any():
            items = parameters["item"][those].tolist()
            named = f"{counted(len(items), 'item')} without an estimate: {shortened(items, 5)}"
            yield f"{named}; {why}."


def _persons(
    mirt: Any, fitted: Any, table: np.ndarray, names: list, scale: float
) -> "pd.DataFrame":
    import pandas as pd

    found = mirt.fscores(fitted, table, method="EAP")
    return pd.DataFrame(
        {
            "person": names,
            "ability": scale * np.asarray(found.theta, dtype=float).ravel(),
            "ability_se": scale * np.asarray(found.standard_error, dtype=float).ravel(),
        }
    )


def _variance_error(fitted: Any, scale: float) -> float:
    """Of the square of the common discrimination."""
    return 2 * scale * float(fitted.standard_errors["discrimination"][0])
