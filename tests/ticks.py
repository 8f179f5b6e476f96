"""Ticks of schedules and sensors, one by one, without a daemon."""

from typing import Any

__all__ = ["ticked"]


def ticked(definition: Any, context: Any) -> Any:
    """What came of a tick. Its context ends with it.

    Left to the collector of garbage, it would at some later moment make an instance that is long
    gone the current one of Dagster.
    """
    with context:
        return definition.evaluate_tick(context)
