"""How long calls may take: from the latency observed and the calls that are in flight at once."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from itemeval_assets.core.money.providers import provider_of

# inspect adapts the connections to a model between these, unless the study fixes their number.
_FEWEST_CONNECTIONS, _MOST_CONNECTIONS = 10, 100
# The providers promise a batch within a day.
BATCH_AT_MOST_S = 86_400.0


class WallTime(NamedTuple):
    """Seconds: `least_s` at the most connections, `most_s` at the fewest."""

    least_s: float
    most_s: float


def wall_time(
    calls: Mapping[str, int],
    latency_s: Mapping[str, float | None],
    connections: Mapping[str, int | None],
    batched: Collection[str] = (),
) -> WallTime | None:
    """The time for calls to several models side by side: that of the slowest.

    All are by model. The models of a provider share its connections where their number is
    given, and have some each where it is not. None where a model that is called has no
    observed latency.
    """
    least: dict[str, float] = {}
    most: dict[str, float] = {}
    for model, count in calls.items():
        latency, limit = latency_s.get(model), connections.get(model)
        lane = provider_of(model) if limit else model
        if not count:
            continue
        if model in batched:
            most[model] = BATCH_AT_MOST_S
            continue
        if latency is None:
            return None
        # Calls go out in rounds of as many as there are connections.
        fast, slow = (
            -(-count // n) for n in (limit or _MOST_CONNECTIONS, limit or _FEWEST_CONNECTIONS)
        )
        least[lane] = least.get(lane, 0.0) + fast * latency
        most[lane] = most.get(lane, 0.0) + slow * latency
    return WallTime(max(least.values(), default=0.0), max(most.values(), default=0.0))
