"""Where the money went: spend and savings, from the index of the logs."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from .pricing import provider_of

__all__ = ["Spend", "spend_by", "spend_by_model", "total_spend"]

SAVED = ("saved_by_response_cache_usd", "saved_by_prompt_cache_usd", "saved_by_batch_usd")


class Spend(NamedTuple):
    """What some calls cost, and what they cost less than list price.

    `cached` of the calls were answered by the response cache. `usd` leaves out calls
    without a known price, of which there are `unpriced_calls`; `total_tokens` were paid for, or
    cost nothing.
    """

    provider: str
    model: str
    calls: int = 0
    cached: int = 0
    usd: float = 0.0
    saved_by_response_cache_usd: float = 0.0
    saved_by_prompt_cache_usd: float = 0.0
    saved_by_batch_usd: float = 0.0
    unpriced_calls: int = 0
    total_tokens: int = 0

    @property
    def is_free(self) -> bool:
        """Whether the model costs nothing: it answered, and there was nothing to pay."""
        return bool(self.total_tokens) and not self.list_usd and not self.unpriced_calls

    @property
    def list_usd(self) -> float:
        """What the same answers cost when each is bought singly, at list price."""
        return self.usd + sum(getattr(self, name) for name in SAVED)


def spend_by_model(logs: Iterable[Mapping[str, Any]]) -> list[Spend]:
    """Spend per provider and model, the dearest first. Reads rows of `log_index`."""
    found: dict[str, Spend] = {}
    for log in logs:
        model = log["model"]
        found[model] = _plus(found.get(model, Spend(provider_of(model), model)), log)
    return sorted(found.values(), key=lambda spend: (-spend.usd, spend.model))


def total_spend(spends: Iterable[Spend]) -> Spend:
    """The sum, under no provider and model."""
    sums = [sum(column) for column in zip(*(spend[2:] for spend in spends), strict=True)]
    return Spend("", "", *sums)  # type: ignore[arg-type]


def spend_by(
    logs: Iterable[Mapping[str, Any]],
    row: Callable[[Mapping[str, Any]], str],
    column: Callable[[Mapping[str, Any]], str],
) -> dict[str, dict[str, float]]:
    """USD by two things that are read off a log: {row: {column: usd}}, in order of first sight."""
    sums: dict[str, dict[str, float]] = {}
    for log in logs:
        cells = sums.setdefault(row(log), {})
        cells[column(log)] = cells.get(column(log), 0.0) + (log["usd"] or 0.0)
    return sums


def _plus(spend: Spend, log: Mapping[str, Any]) -> Spend:
    calls = log["total_samples"] or 0
    saved = {name: getattr(spend, name) + (log[name] or 0.0) for name in SAVED}
    return spend._replace(
        calls=spend.calls + calls,
        cached=spend.cached + (log["cached_samples"] or 0),
        usd=spend.usd + (log["usd"] or 0.0),
        total_tokens=spend.total_tokens + (log["total_tokens"] or 0),
        unpriced_calls=spend.unpriced_calls + (calls if log["usd"] is None else 0),
        **saved,
    )
