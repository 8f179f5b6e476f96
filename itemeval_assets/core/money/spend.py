"""Where the money went: spend and savings, from the index of the logs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .providers import provider_of

if TYPE_CHECKING:
    import pyarrow as pa

SAVED = ("saved_by_response_cache_usd", "saved_by_prompt_cache_usd", "saved_by_batch_usd")
# Columns of the index of the logs, in the order of the fields of Spend that they are summed up in.
_SUMMED = ("calls", "cached_samples", "usd", *SAVED, "unpriced_calls", "total_tokens")


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


def spend_by_model(logs: "pa.Table") -> list[Spend]:
    """Spend per provider and model, the dearest first. Reads columns of `log_index`."""
    import pyarrow.compute as pc

    from .ledger import calls_of_logs

    calls, is_unpriced = calls_of_logs(logs), logs["usd"].is_null()
    logs = logs.drop_columns(["calls"]).append_column("calls", calls)
    unpriced = pc.if_else(is_unpriced, calls, 0)  # type: ignore[attr-defined]
    sums = (
        logs.append_column("unpriced_calls", unpriced)
        .group_by("model", use_threads=False)
        .aggregate([(column, "sum") for column in _SUMMED])
    )
    columns = [sums[f"{column}_sum"].fill_null(0).to_pylist() for column in _SUMMED]
    models = sums["model"].to_pylist()
    found = [Spend(provider_of(row[0]), *row) for row in zip(models, *columns, strict=True)]
    return sorted(found, key=lambda spend: (-spend.usd, spend.model))


def total_spend(spends: Iterable[Spend]) -> Spend:
    """The sum, under no provider and model."""
    sums = [sum(column) for column in zip(*(spend[2:] for spend in spends), strict=True)]
    return Spend("", "", *sums)  # type: ignore[arg-type]


def spend_by(
    logs: "pa.Table", columns: Sequence[str], name: Callable[[Mapping[str, Any]], str], by: str
) -> dict[str, dict[str, float]]:
    """USD by a name that is read off some columns, and by one column: {name: {value: usd}}.

    Both in order of first sight.
    """
    groups = logs.group_by([*columns, by], use_threads=False).aggregate([("usd", "sum")])
    sums: dict[str, dict[str, float]] = {}
    for group in groups.to_pylist():
        cells = sums.setdefault(name(group), {})
        cells[group[by]] = cells.get(group[by], 0.0) + (group["usd_sum"] or 0.0)
    return sums
