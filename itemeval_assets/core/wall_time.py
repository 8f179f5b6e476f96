"""How long calls may take: from the latency observed and the calls that are in flight at once."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

__all__ = ["WallTime", "wall_time"]

# inspect adapts the connections to a model between these, unless the study fixes their number.
FEWEST_CONNECTIONS, MOST_CONNECTIONS = 10, 100
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
    """The time for calls to several models side by side: that of the slowest model.

    All are by model. None where a model that is called has no observed latency.
    """
    least, most = 0.0, 0.0
    for model, count in calls.items():
        latency, limit = latency_s.get(model), connections.get(model)
        if not count:
            continue
        if model in batched:
            most = max(most, BATCH_AT_MOST_S)
            continue
        if latency is None:
            return None
        # Calls go out in rounds of as many as there are connections.
        rounds = [-(-count // n) for n in (limit or MOST_CONNECTIONS, limit or FEWEST_CONNECTIONS)]
        least, most = max(least, rounds[0] * latency), max(most, rounds[1] * latency)
    return WallTime(least, most)
