"""Notifications: sensors that tell a webhook, where there is one, what nobody should miss.

Of failed runs and checks, of what is well again, and of money. The sensors look at all runs of the
instance, and tell of those with assets of the studies.
"""

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.dagster_io.failures import in_event, users_errors
from itemeval_assets.settings import Settings

from .ended_runs import ended_runs
from .messages import failed_checks_text, failed_run_text
from .recoveries import load_again, well_again
from .spend import note_run, spends
from .webhook import Webhook

# What a sensor tells at a tick, from the document that it keeps between ticks.
_Tells = Callable[[dg.SensorEvaluationContext, dict[str, Any]], Iterator[str]]


def notification_sensors(
    studies: Collection[Study], broken: Callable[[], Collection[str]], settings: Settings
) -> list[dg.SensorDefinition]:
    """The sensors; none without `webhook_url`. Raises ConfigError for a URL that is none.

    `studies` may grow later. `broken`: the files of studies that cannot be loaded.
    """
    webhook, ui_url = webhook_of(settings), settings.ui_url
    if webhook is None:
        return []

    def by_name() -> dict[str, Study]:
        return {study.name: study for study in studies}

    def failed_checks(context: dg.SensorEvaluationContext, kept: dict[str, Any]) -> Iterator[str]:
        for run_id, _ in ended_runs(context.instance, kept):
            if text := failed_checks_text(context.instance, run_id, by_name(), ui_url):
                yield text

    def recoveries(context: dg.SensorEvaluationContext, kept: dict[str, Any]) -> Iterator[str]:
        cursors, ailing = kept.setdefault("cursors", {}), kept.setdefault("ailing", {})
        yield from load_again(kept.setdefault("broken", []), broken(), by_name())
        for run in ended_runs(context.instance, cursors):
            yield from well_again(context.instance, ailing, run, by_name(), ui_url)

    def money(context: dg.SensorEvaluationContext, kept: dict[str, Any]) -> Iterator[str]:
        cursors, told = kept.setdefault("cursors", {}), kept.setdefault("told", {})
        for run_id, _ in ended_runs(context.instance, cursors):
            note_run(context.instance, told, run_id, by_name())
        for study in by_name().values():
            try:
                yield from spends(context.instance, told, study, ui_url)
            except ItemevalAssetsError as error:
                context.log.error(in_event(str(error)))

    return [
        _failed_runs(studies, webhook, ui_url),
        _sensor(
            "failed_checks",
            "Tells the webhook, once a run has ended, which of its checks failed.",
            webhook,
            failed_checks,
        ),
        _sensor(
            "recoveries",
            "Tells the webhook once that what had failed is well again.",
            webhook,
            recoveries,
        ),
        _sensor(
            "spend",
            "Tells the webhook what runs spent, once they are at rest, and when a study has spent "
            "50, 80 and 100 % of budget.max_usd.",
            webhook,
            money,
        ),
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


def _sensor(name: str, says: str, webhook: Webhook, tells: _Tells) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"itemeval_assets_{name}",
        description=says,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def tick(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        kept, told = json.loads(context.cursor or "{}"), 0
        with users_errors():
            for text in tells(context, kept):
                webhook.tell(text, context.log)
                told += 1
        context.update_cursor(json.dumps(kept))
        return dg.SkipReason(f"messages: {told}")

    return tick
