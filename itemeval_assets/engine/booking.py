"""What a log says for the tables of money: of calls that were made one by one, and of tasks."""

from typing import Any

from inspect_ai.log import EvalLog

from itemeval_assets.core.money.pricing import PriceBook

from .rows import log_facts, unlogged_call
from .tasks.logs.index import task_index, unlogged_of_task
from .tasks.logs.usage import is_of_task


def index_rows(log: EvalLog, model: str, prices: PriceBook) -> list[dict[str, Any]]:
    """The rows of `log_index` of a log: one for each model. The first is that of the condition."""
    return task_index(log, model, prices) if is_of_task(log) else [log_facts(log, model, prices)]


def unlogged(log: EvalLog, model: str, prices: PriceBook) -> dict[str, Any] | None:
    """What a log was charged for beyond its samples; null where nothing was."""
    return (unlogged_of_task if is_of_task(log) else unlogged_call)(log, model, prices)
