"""Views of money: the spend, the estimate, and the models that a preflight tried."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from itemeval_assets.core.money.spend import SAVED, Spend, total_spend

from .results import CONDITIONS
from .view import Amount, Column, View

if TYPE_CHECKING:
    from itemeval_assets.core.money.preflight import ModelHealth
    from itemeval_assets.core.money.projection.estimate import Projection


def spend_view(spends: Sequence[Spend]) -> View:
    """Spend per provider and model, with what was saved, and in sum where there are several."""
    return View("spend", _SPEND, spends, total_spend(spends) if len(spends) > 1 else None)


def projected(calls: "Projection") -> Amount:
    """The most that calls may cost."""
    return Amount(calls.usd, "no price" if calls.unpriced and not calls.usd else "")


def _spent(spend: Spend) -> Amount:
    unpriced = spend.calls and spend.unpriced_calls == spend.calls
    return Amount(spend.usd, "no price" if unpriced else "free" if spend.is_free else "")


def _paid(health: "ModelHealth") -> Amount | None:
    """What the call cost; nothing of a model that could not be called."""
    if health.usd is None and health.latency_s is None:
        return None
    return Amount(health.usd, "free" if health.verdict == "ok" and health.usd == 0 else "")


def _saved(spend: Spend) -> bool:
    return any(getattr(spend, name) for name in SAVED)


_SPEND = (
    Column("provider", "text", "provider"),
    Column("model", "name_or_all", "model", "model", "model"),
    Column("calls", "count", "calls", "calls", "calls"),
    Column("cached", "number", None, "cached", sometimes="cached"),
    Column("cached", "number", card="from the response cache"),
    Column(_spent, "amount", "usd", "usd", "USD"),
    Column("list_usd", "usd", "list\nprice", "list usd", sometimes=_saved),
    *(
        Column(
            f"saved_by_{way}_usd",
            "saved",
            "saved:\n" + way.replace("_", "\n"),
            way.replace("_", " "),
            sometimes=f"saved_by_{way}_usd",
        )
        for way in ("response_cache", "prompt_cache", "batch")
    ),
    Column("unpriced_calls", "number", None, "unpriced", sometimes="unpriced_calls"),
    Column("unpriced_calls", "number", card="calls without a known price"),
)

# Of partitions: what remains of each, and its full grid.
ESTIMATE = (
    Column("label", "text", page="condition"),
    *CONDITIONS,
    Column(lambda part: (part.remaining.calls, part.grid.calls), "share", "calls", "calls"),
    Column("remaining.cached", "number", "cached", "cached", sometimes="remaining.cached"),
    Column("remaining.input_tokens", "tokens", "in", "input", wide=True),
    Column("remaining.output_tokens", "tokens", "out", "output", wide=True),
    Column(lambda part: projected(part.remaining), "amount", "at most", "usd at most"),
    Column("remaining.expected_usd", "expected", "expected", "usd expected"),
    Column(lambda part: projected(part.grid), "amount", "grid", "grid at most"),
    Column("basis", "text", page="expected from"),
)

# Of models that a preflight tried.
HEALTH = (
    Column("model", "text", "model", "model"),
    Column("verdict", "verdict", "verdict", "verdict"),
    Column("reason", "text", "reason", "reason"),
    Column("latency_s", "seconds", "latency", "latency_s"),
    Column(_paid, "paid", "usd", "usd"),
)
