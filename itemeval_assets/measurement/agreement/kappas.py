"""Kappa: agreement beyond chance, of two raters and of many."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..arguments import checked
from ..columns import counted, is_empty
from ..intervals import checked_level, t_quantile
from ..numeric import as_numbers
from ..records import Estimate, MeasurementError
from .bootstrap import bootstrap_error, clustered_error, of_perfect, t_limits
from .units import units_of

__all__ = ["cohen_kappa", "fleiss_kappa"]


@checked
def cohen_kappa(
    a: Sequence[Any],
    b: Sequence[Any],
    *,
    weights: Literal["linear", "quadratic"] | None = None,
    categories: Sequence[Any] | None = None,
    level: float = 0.95,
    item: Sequence[Any] | None = None,
    cluster: Sequence[Any] | None = None,
) -> Estimate:
    """The agreement of two raters on the same units (Cohen 1960, 1968).

    `weights` count disagreements by the distance of the categories in their order: sorted, or as
    `categories` has them, also those that nobody used. The standard error is that of Fleiss, Cohen
    & Everitt (1969, Psychological Bulletin 72, 323-327), by statsmodels; the interval is
    symmetric on log(1 - kappa), with Student's t, for near 1 the plain one is too narrow. Pairs
    with a gap are left out, and counted. `item` and `cluster` have a value for each pair: pairs
    that share one are not independent, and the same error is then summed by cluster.
    """
    checked_level(level)
    if weights not in (None, "linear", "quadratic"):
        raise MeasurementError(f"weights is {weights!r}: choose linear, quadratic or None.")
    table, used, places = _table(a, b, categories)
    n, gaps = len(places), int((~used).sum())
    shared = units_of(len(used), item, cluster).only(used)
    from statsmodels.stats.inter_rater import cohens_kappa

    with np.errstate(invalid="ignore"):  # a variance of 0 may come out below it
        found: Any = cohens_kappa(table, wt=weights)
    value = float(found.kappa)
    said = [f"{counted(gaps, 'pair')} with a gap: left out."] * bool(gaps)
    if value > 1 - 1e-12:
        value, error = 1.0, 0.0
        chance = float(table.sum(axis=0) @ table.sum(axis=1)) / n**2
        low, high = of_perfect(shared.n_clusters, 2, 1 - chance, level)
        said.append("No pair disagrees: the interval tells how many it could miss.")
    else:
        if shared.alone:
            error = float(np.sqrt(max(0.0, found.var_kappa)))
        else:
            error = _clustered_error(table, places, shared.cluster, weights)
        t = t_quantile(level, shared.n_clusters - 1)
        width = float(np.exp(t * error / (1 - value)))
        low, high = 1 - (1 - value) * width, 1 - (1 - value) / width
        said += ["These pairs have no spread: no interval."] * (error == 0)
    return Estimate(
        value=value,
        standard_error=error,
        low=max(-1.0, low),
        high=high,
        level=level,
        n_events=2 * n,
        n_items=shared.n_items,
        n_clusters=shared.n_clusters,
        method=f"Cohen's kappa, {weights or 'unweighted'}; delta method on log(1 - kappa)"
        f"{'' if shared.alone else ', clustered'}",
        n_missing=gaps,
        warnings=(*said, *shared.few()),
    )


def _clustered_error(
    table: np.ndarray, places: np.ndarray, cluster: np.ndarray, weights: str | None
) -> float:
    """The error of Fleiss, Cohen & Everitt with the share of each pair in it summed by cluster."""
    n, size = len(places), len(table)
    share = table / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(size - 1, 1)
    agree = {None: np.eye(size), "linear": 1 - apart, "quadratic": 1 - apart**2}[weights]
    observed, expected = float((agree * share).sum()), float(rows @ agree @ columns)
    by_chance = (agree @ columns)[:, None] + (rows @ agree)[None, :]
    effect = agree * (1 - expected) - by_chance * (1 - observed)
    own = effect[places[:, 0], places[:, 1]]
    sums = np.bincount(cluster, own - own.mean())
    factor = len(sums) / (len(sums) - 1)
    return float(np.sqrt(factor * (sums**2).sum())) / n / (1 - expected) ** 2


def _table(
    a: Sequence[Any], b: Sequence[Any], categories: Sequence[Any] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The counts of each pair of categories; which pairs have no gap, and the places of these."""
    a, b = _plain(a), _plain(b)
    if len(a) != len(b):
        raise MeasurementError(f"a has {len(a):,} ratings and b {len(b):,}: give one of each unit.")
    code_of = {value: code for code, value in enumerate(dict.fromkeys([*a, *b]))}
    labels = list(code_of)
    coded = np.array([[code_of[value] for value in values] for values in (a, b)], dtype=np.int64)
    gaps = np.array(list(map(is_empty, labels)), dtype=bool)[coded]
    complete = ~(gaps[0] | gaps[1])
    pairs = coded.T[complete]
    used = {labels[code] for code in np.unique(pairs)}
    if len(pairs) < 2 or len(used) < 2:
        raise MeasurementError(
            f"Kappa is not defined: {len(pairs):,} units have two ratings, of"
            f" {len(used)} categories. It needs two of each; report the share of equal ratings."
        )
    if categories is None:
        order = sorted(used, key=lambda value: (isinstance(value, str), value))
    else:
        order = list(categories)
        if used - set(order):
            raise MeasurementError(
                f"{sorted(map(str, used - set(order)))[0]!r} was rated, and is not in categories=."
            )
    place = {value: index for index, value in enumerate(order)}
    places = np.array([place.get(label, -1) for label in labels])[pairs]
    size = len(order)
    table = np.bincount(places[:, 0] * size + places[:, 1], minlength=size**2)
    return table.reshape(size, size).astype(float), complete, places


def _plain(values: Any) -> list[Any]:
    return values.tolist() if hasattr(values, "tolist") else list(values)


@checked
def fleiss_kappa(
    counts: Any,
    *,
    level: float = 0.95,
    item: Sequence[Any] | None = None,
    cluster: Sequence[Any] | None = None,
) -> Estimate:
    """The agreement of many raters (Fleiss 1971, Psychological Bulletin 76, 378-382).

    `counts` is units x categories: how many raters chose each. All units have the same number of
    raters. Standard error and interval come from a seeded bootstrap over units.
    """
    checked_level(level)
    table = as_numbers(counts)
    if table.ndim != 2 or len(table) < 2 or (table < 0).any() or (table != np.round(table)).any():
        raise MeasurementError("counts is units x categories: whole numbers, of two units or more.")
    raters = np.unique(table.sum(axis=1))
    if len(raters) > 1 or raters[0] < 2:
        raise MeasurementError(
            f"Units have {', '.join(f'{n:g}' for n in raters)} ratings: Fleiss' kappa needs the"
            " same number, two or more, in each. Use krippendorff_alpha where they differ."
        )
    m = float(raters[0])
    shared = units_of(len(table), item, cluster)
    patterns, pattern, shown = np.unique(table, axis=0, return_inverse=True, return_counts=True)

    def kappa(drawn: np.ndarray) -> np.ndarray:
        share = drawn @ patterns / (drawn.sum(axis=1)[:, None] * m)
        chance = (share**2).sum(axis=1)
        agree = (patterns * (patterns - 1)).sum(axis=1) / (m * (m - 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            return (drawn @ agree / drawn.sum(axis=1) - chance) / (1 - chance)

    value = float(kappa(shown[None, :])[0])
    if not np.isfinite(value):
        raise MeasurementError(
            "Kappa is not defined: all ratings are of one category. Report that instead."
        )
    if value > 1 - 1e-12:
        chance = ((table.sum(axis=0) / table.sum()) ** 2).sum()
        error, limits = 0.0, of_perfect(shared.n_clusters, m, float(1 - chance), level)
        said = ("No unit shows a disagreement: the interval tells how many it could miss.",)
    else:
        if shared.alone:
            error, said = bootstrap_error(shown, kappa), ()
        else:
            error, said = clustered_error(pattern.reshape(-1), shared.cluster, kappa), ()
        limits = t_limits(value, error, shared.n_clusters, level)
    return Estimate(
        value=value,
        standard_error=error,
        low=limits.low,
        high=limits.high,
        level=level,
        n_events=int(table.sum()),
        n_items=shared.n_items,
        n_clusters=shared.n_clusters,
        method=f"Fleiss' kappa; bootstrap over {shared.drawn}",
        warnings=(*said, *shared.few()),
    )
