"""Paid calls of a condition: what one costs and takes. Reads columns of `gradings_long`."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FiveNumbers = tuple[float, float, float, float, float]


class PaidCalls(NamedTuple):
    """Paid calls of one condition; what the response cache answered, or failed, is none.

    `usd_per_call`: mean over the calls with a known price; null: there is none. `latency_s`:
    lowest, quartiles and highest; null: no call was made singly. `unpriced`: calls whose price is
    not known, of an unpriced model or by a reply that told no usage.
    """

    calls: int
    usd_per_call: float | None
    latency_s: FiveNumbers | None
    unpriced: int = 0


def generation_calls(rows: pa.Table, batched: Collection[str]) -> PaidCalls | None:
    """The calls behind the solutions that were graded: one each, however many judges read it.

    `rows` of one generate condition. `batched`: log files of batches, whose latency says nothing
    of a call. None where nobody was paid.
    """
    items = rows["item_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    replications = rows["replication"].to_numpy()
    cells = items.astype(np.int64) * (int(replications.max(initial=0)) + 1) + replications
    # The last row of each, which is the first of them read backwards.
    _, last = np.unique(cells[::-1], return_index=True)
    return _calls(rows.take(pa.array(len(cells) - 1 - last)), batched, "gen")


def grading_calls(rows: pa.Table, batched: Collection[str]) -> PaidCalls | None:
    """The calls of one judge; scorers make none. `batched` as in `generation_calls`."""
    answered = pc.or_kleene(  # type: ignore[attr-defined]
        pc.is_valid(rows["parse_error"]),  # type: ignore[attr-defined]
        pc.fill_null(rows["parse_ok"], False),
    )
    return _calls(rows.filter(answered), batched, "grade")


def _calls(rows: pa.Table, batched: Collection[str], stage: str) -> PaidCalls | None:
    usd, log_file = rows[f"{stage}_usd"], rows[f"{stage}_log_file"].cast(pa.string())
    # What the response cache answered has no tokens either, and usd 0.0; what is gone, no log.
    is_metered = rows[f"{stage}_input_tokens"].is_valid().to_numpy()
    is_paid = is_metered | (usd.is_null().to_numpy() & log_file.is_valid().to_numpy())
    if not is_paid.any():
        return None
    paid = usd.cast(pa.float64()).to_numpy()[is_paid]
    known = paid[~np.isnan(paid)]
    in_batches = pa.array(list(batched), pa.string())
    is_single = ~pc.is_in(log_file, value_set=in_batches).to_numpy()  # type: ignore[attr-defined]
    seconds = rows[f"{stage}_latency_s"].cast(pa.float64()).to_numpy()[is_paid & is_single]
    return PaidCalls(
        len(paid),
        float(known.mean()) if len(known) else None,
        _five_numbers(seconds[~np.isnan(seconds)]),
        len(paid) - len(known),
    )


def _five_numbers(values: np.ndarray) -> FiveNumbers | None:
    return tuple(np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist()) if len(values) else None  # type: ignore[return-value]
