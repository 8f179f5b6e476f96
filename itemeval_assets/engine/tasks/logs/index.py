"""From the log of a task to the rows of `log_index`, which the ledger is made of."""

from typing import Any

from inspect_ai.log import EvalLog, EvalSample

from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.engine.calls.in_flight.ended import UNREAD_REPLIES
from itemeval_assets.engine.logs.usage import no_tokens
from itemeval_assets.engine.rows import is_batch, utc

from ..running import MOST_USD
from .prices import known_sum, prices_of
from .usage import (
    Tokens,
    calls_in,
    count_calls,
    sent_samples,
    unmetered_of,
    usage_of,
    usage_of_samples,
)

Row = dict[str, Any]


def task_index(log: EvalLog, model: str, prices: PriceBook) -> list[Row]:
    """Rows of `log_index`: one for each model that was called, that of the condition first.

    `calls` counts those of each model; the samples are those of the first row.
    """
    samples, used = sent_samples(log), usage_of(log)
    booked, is_batched = prices_of(log, model, prices), is_batch(log)
    called = [event.model for sample in samples for event in calls_in(sample)]
    shared = {
        "run_id": (log.eval.metadata or {}).get("run_id"),
        "task_name": log.eval.task,
        "status": log.status,
        "started_at": utc(log.stats.started_at) or utc(log.eval.created),
        "completed_at": utc(log.stats.completed_at),
        "batch": is_batched,
        "created_at": utc(log.eval.created),
    }
    none = {"total_samples": 0, "completed_samples": 0, "cached_samples": 0}
    rows = []
    for name in dict.fromkeys([model, *used, *called]):
        tokens = used.get(name, no_tokens())
        saved = booked.savings(name, tokens, is_batched)
        usd = booked.of_tokens(name, tokens, is_batched)
        unmetered = _unmetered(samples, name, name == model)
        rows.append(
            {
                **shared,
                **none,
                "model": name,
                "calls": count_calls(log, name),
                **tokens,
                "usd": usd,
                "priced": usd is not None and not unmetered,
                "unmetered_calls": unmetered,
                "unmetered_usd": unmetered * _most_usd(log),
                "saved_by_response_cache_usd": None if usd is None else 0.0,
                "saved_by_prompt_cache_usd": saved[0] if saved else None,
                "saved_by_batch_usd": saved[1] if saved else None,
            }
        )
    rows[0]["total_samples"] = len(samples)
    rows[0]["completed_samples"] = sum(sample.error is None for sample in samples)
    return rows


def _unmetered(samples: list[EvalSample], model: str, is_own: bool) -> int:
    """Replies of a model that told no usage; those that nobody could read are of its condition."""
    unread = [sample.metadata.get(UNREAD_REPLIES, 0) for sample in samples if is_own]
    return sum(unread) + sum(unmetered_of(sample, model) for sample in samples)


def _most_usd(log: EvalLog) -> float:
    """What a sample was taken to cost at most, when the calls were made."""
    return float((log.eval.metadata or {}).get(MOST_USD, 0.0))


def unlogged_of_task(log: EvalLog, model: str, prices: PriceBook) -> Row | None:
    """As `unlogged_call`: what a log was charged for beyond its samples, all models together."""
    booked, samples = prices_of(log, model, prices), usage_of_samples(log)
    found, usds = [], []
    for name, used in usage_of(log).items():
        known = samples.get(name, no_tokens())
        beyond = {
            column: None if count is None else count - (known[column] or 0)
            for column, count in used.items()
        }
        if any(beyond.values()):
            found.append(beyond)
            usds.append(booked.of_tokens(name, beyond, is_batch(log)))
    if not found:
        return None
    return {
        **_sum(found),
        "usd": known_sum(usds),
        "sample_uuid": f"{log.eval.task_id}:unlogged",
        "created_at": utc(log.stats.completed_at) or utc(log.eval.created),
    }


def _sum(parts: list[Tokens]) -> Tokens:
    found = no_tokens()
    for name in found:
        counts = [part[name] for part in parts if part[name] is not None]
        found[name] = sum(count or 0 for count in counts) if counts else None
    return found
