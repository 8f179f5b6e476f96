"""Notifications of failed runs and failed checks: sensors that tell a webhook, where there is one.

The sensors look at all runs of the instance, and tell of those with assets of the studies.
"""

import json
import time
from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.settings import Settings

from .messages import failed_checks_text, failed_run_text
from .webhook import Webhook

_ENDED = (
    dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
)
# Dagster gives up on a tick after 60 s, and would start again from where it started.
_LONGEST_TICK_S = 30


def notification_sensors(
    studies: Collection[Study], settings: Settings
) -> list[dg.SensorDefinition]:
    """The sensors; none without `webhook_url`. Raises ConfigError for a URL that is none."""
    webhook = webhook_of(settings)
    if webhook is None:
        return []
    return [
        _failed_runs(studies, webhook, settings.ui_url),
        _failed_checks(studies, webhook, settings.ui_url),
    ]


def webhook_of(settings: Settings) -> Webhook | None:
    """The webhook, if there is one. Raises ConfigError for a URL that is none."""
    url = settings.webhook_url.get_secret_value().strip() if settings.webhook_url else ""
    return Webhook(url) if url else None


def _failed_runs(studies: Collection[Study], webhook: Webhook, ui_url: str) -> Any:
    @dg.run_failure_sensor(
        name="itemeval_assets_failed_runs",
        description="Tells the webhook of each run that failed, and why.",
        monitor_all_code_locations=True,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        names = {study.name for study in studies}
        with users_errors():
            if text := failed_run_text(context, names, ui_url, webhook.without_secrets):
                webhook.tell(text, context.log)

    return failed_runs


def _failed_checks(studies: Collection[Study], webhook: Webhook, ui_url: str) -> Any:
    @dg.sensor(
        name="itemeval_assets_failed_checks",
        description="Tells the webhook, once a run has ended, which of its checks failed.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def failed_checks(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        cursors = json.loads(context.cursor or "{}")
        names = {study.name for study in studies}
        told = 0
        with users_errors():
            for run_id in _ended_runs(context.instance, cursors):
                if text := failed_checks_text(context.instance, run_id, names, ui_url):
                    webhook.tell(text, context.log)
                    told += 1
        context.update_cursor(json.dumps(cursors))
        return dg.SkipReason(f"runs with failed checks: {told}")

    return failed_checks


def _ended_runs(instance: dg.DagsterInstance, cursors: dict[str, str]) -> Iterator[str]:
    """Runs that ended since, oldest first; moves the cursors on. At first: what ends from now."""
    until = time.monotonic() + _LONGEST_TICK_S
    for kind in _ENDED:
        if kind.name not in cursors:
            cursors[kind.name] = instance.fetch_run_status_changes(kind, limit=1).cursor
        while time.monotonic() < until:
            found = instance.fetch_run_status_changes(
                kind, limit=1, cursor=cursors[kind.name], ascending=True
            )
            if not found.records:
                break
            cursors[kind.name] = found.cursor
            yield found.records[0].run_id
