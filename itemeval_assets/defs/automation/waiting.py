"""What the schedule of a study cannot do by itself: told to the webhook once, until it is over."""

import json
from collections.abc import Mapping

import dagster as dg

from itemeval_assets.core.design.study import Study

from .webhook import Webhook

_PREFIX = "itemeval_assets/told_by_schedule/"


def tell_what_waits(
    context: dg.ScheduleEvaluationContext,
    study: Study,
    webhook: Webhook | None,
    waiting: Mapping[str, str],
) -> None:
    """Tell what waits for somebody since this tick, and not what has waited before.

    `waiting`: texts by their kind. What was told is kept in Dagster's history: a schedule has no
    cursor.
    """
    if webhook is None:
        return
    kept, key = context.instance.daemon_cursor_storage, f"{_PREFIX}{study.name}"
    before = json.loads(kept.get_cursor_values({key}).get(key, "[]"))
    for kind, text in waiting.items():
        if kind not in before:
            webhook.tell(f"Study {study.name}: {text}", context.log)
    if sorted(waiting) != before:
        kept.set_cursor_values({key: json.dumps(sorted(waiting))})
