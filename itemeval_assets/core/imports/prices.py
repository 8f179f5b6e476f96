"""At which price the calls of an imported log were booked."""

import math
from collections.abc import Mapping
from typing import Any

from itemeval_assets.core.money.pricing import PriceBook

_USD_TOLERANCE = 1e-6
_MTOK = 1_000_000
_PAID_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_RATES = (
    *("input_usd_per_mtok", "output_usd_per_mtok"),
    *("cache_read_usd_per_mtok", "cache_write_usd_per_mtok"),
)


def booked_price(
    prices: PriceBook, model: str, booked: Mapping[str, Any] | None, *, source: str
) -> dict[str, Any] | None:
    """The price of a model as a log keeps it, so that its calls cost what the ledger says.

    That of the study where it gives the dollars of the ledger's row; else one rate for all tokens,
    which does. `booked`: tokens, usd, priced and batch; null: the ledger has no such row.
    Null: the model has no price.
    """
    if booked is None:
        return prices.evidence(model)
    if not booked["priced"] or booked["usd"] is None:
        return None
    told = prices.usd(model, booked, bool(booked["batch"]))
    tokens = sum(booked[name] or 0 for name in _PAID_TOKENS)
    if told is not None and math.isclose(told, booked["usd"], abs_tol=_USD_TOLERANCE):
        return prices.evidence(model)
    rate = booked["usd"] / tokens * _MTOK if tokens else 0.0
    return {**dict.fromkeys(_RATES, rate), "batch_discount": 0.0, "source": source}
