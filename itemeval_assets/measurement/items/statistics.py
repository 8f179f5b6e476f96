"""One row per item: how hard it is, how well it tells conditions apart, and what is odd."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..arguments import checked
from ..columns import Frame, compact, names
from ..events import Grader, read_events
from ..intervals import checked_scale, t_test_p
from ..records import MeasurementError, Scale
from ..rounding import CONSTANT, rounding_of
from ..scores.cells import Cells, item_means
from .differing import flips_of, quarrels_of, share_of
from .flags import flags_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["item_statistics"]


@checked
def item_statistics(
    frame: Frame,
    *,
    object: str | None = None,
    grader: Grader = None,
    score: str = "score",
    item: str = "item_id",
    solution: str = "solution",
    scale: Scale | None = None,
) -> "pd.DataFrame":
    """Classical test theory by item (Lord & Novick 1968, chapter 15), the odd ones flagged.

    The persons are the values of `object`: generate conditions, or models where the frame has no
    conditions. Columns: `item_id` (named as `item`), `n_events`; `difficulty`: the mean score over
    persons; `item_total`: the correlation over persons with the mean of their other items (null
    where one of both does not vary, or with fewer than three persons), `item_total_p`: the p of no
    correlation; `ties`: the share of pairs of persons with the same mean; `flips`: the share of
    cells with replications in which they differ; `quarrels`: the share of answers with several
    graders on which they differ, equal ones (by the column `solution`, if there is one) counted
    once, as a grader says the same of them; both by half of the scale or more with a `scale`;
    `flips_p`, `quarrels_p`: the one-sided binomial p of so many or more if the scores of the item
    were dealt out by chance, for shares of a half or more; `flag` and `reason`. Shares are null
    where there is nothing to compare.
    """
    scale = checked_scale(scale)
    if object is None:
        object = "gen_condition_id" if "gen_condition_id" in names(frame) else "model"
    events = read_events(frame, score=score, item=item, cluster=None, grader=grader, by=object)
    cells = item_means(events.scored)
    seen = np.unique(cells.item)
    if len(seen) < 2:
        raise MeasurementError("One item has no other items to stand beside: give two or more.")
    n_items = len(events.items)
    persons = np.bincount(cells.item, minlength=n_items)
    total, total_p = _item_total(cells, len(events.groups), n_items)
    least = (scale[1] - scale[0]) / 2 if scale else 0.0
    flips = flips_of(frame, grader, object, score, item, least, n_items)
    quarrels = quarrels_of(frame, score, item, solution, least, n_items)
    columns = {
        "n_events": np.bincount(events.scored.item, minlength=n_items),
        "difficulty": np.bincount(cells.item, cells.mean, n_items) / np.maximum(persons, 1),
        "item_total": total,
        "item_total_p": total_p,
        "ties": _ties(cells, persons),
        "flips": flips.share,
        "flips_p": flips.p,
        "quarrels": quarrels.share,
        "quarrels_p": quarrels.p,
    }
    columns = {name: values[seen] for name, values in columns.items()}
    table = _table(item, [events.items.labels[code] for code in seen], columns)
    alike = _alike(cells, n_items)[seen]
    table["flag"], table["reason"] = flags_of(columns, alike, scale, persons[seen])
    return table


def _table(item: str, labels: list, columns: Mapping[str, np.ndarray]) -> "pd.DataFrame":
    """A row per item. A column with gaps has the type that knows them."""
    import pandas as pd

    table = pd.DataFrame({item: labels})
    for name, values in columns.items():
        if values.dtype.kind == "f" and np.isnan(values).any():
            table[name] = pd.array(values, dtype="Float64")
            table.loc[np.isnan(values), name] = pd.NA
        else:
            table[name] = values
    return table


def _item_total(cells: Cells, n_persons: int, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """The correlation of each item with the persons' mean on their other items, and its p."""
    x = cells.mean - cells.mean.mean()
    n_answered = np.bincount(cells.group, minlength=n_persons)[cells.group]
    total = np.bincount(cells.group, x, n_persons)[cells.group]
    several = n_answered > 1
    item, x = cells.item[several], x[several]
    rest = (total[several] - x) / (n_answered[several] - 1)
    n = np.bincount(item, minlength=n_items)

    def centred(values: np.ndarray) -> np.ndarray:
        return values - (np.bincount(item, values, n_items) / np.maximum(n, 1))[item]

    x, rest = centred(x), centred(rest)
    both, xx, rr = (
        np.bincount(item, product, n_items) for product in (x * rest, x * x, rest * rest)
    )
    defined = (n >= 3) & (xx > CONSTANT) & (rr > CONSTANT)
    r = np.full(n_items, np.nan)
    r[defined] = np.clip(both[defined] / np.sqrt(xx[defined] * rr[defined]), -1, 1)
    p = np.full(n_items, np.nan)
    left = np.maximum(1 - r[defined] ** 2, 1e-300)
    p[defined] = t_test_p(r[defined] * np.sqrt((n[defined] - 2) / left), n[defined] - 2)
    return r, p


def _ties(cells: Cells, persons: np.ndarray) -> np.ndarray:
    """The share of pairs of persons with the same mean on an item."""
    _, value = np.unique(np.round(cells.mean, 12), return_inverse=True)
    keys, places = compact(cells.item, value)
    alike = np.bincount(places)
    pairs = np.bincount(
        keys // (int(value.max()) + 1), alike * (alike - 1) / 2, minlength=len(persons)
    )
    return share_of(pairs, persons * (persons - 1) / 2)


def _alike(cells: Cells, n_items: int) -> np.ndarray:
    """Whether all persons have the same mean, by item."""
    lowest, highest = np.full(n_items, np.inf), np.full(n_items, -np.inf)
    np.minimum.at(lowest, cells.item, cells.mean)
    np.maximum.at(highest, cells.item, cells.mean)
    rounding = rounding_of(cells.mean.min(), cells.mean.max())
    return highest - lowest <= rounding
