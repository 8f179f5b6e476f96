"""From .eval logs to rows. Whatever a model sent is data: no reply may fail a row."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalError, EvalLog, EvalSample

from itemeval_assets.core.design.cells.pending import Cell, is_blank
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.core.text.words import well_formed

from .calls.in_flight.ended import UNREAD_REPLIES, was_sent
from .calls.reroutes import REROUTES, SERVED_PROVIDER
from .calls.tasks import MOST_USD, cell_of
from .logs.spent import NOTED_CALLS
from .logs.usage import is_plausible, token_counts, total_usage

Row = dict[str, Any]
# In a log's metadata: the price that its calls were made at.
PRICE = "price"
# Some providers put the whole request into the message.
LONGEST_ERROR = 2000
# How inspect begins what it says in the markup of a terminal.
_MARKED = "[bold]ERROR[/bold]"
# The last says of what inspect could not write down, with the whole text.
_NOT_UNICODE = "UnicodeEncodeError"
_WRAPPERS = ("RetryError", "ModelGenerateError", _NOT_UNICODE)
_EFFECTIVE = ("temperature", "top_p", "max_tokens", "reasoning_effort")


def call_rows(log: EvalLog, model: str, prices: PriceBook) -> Iterator[tuple[Cell, Row]]:
    """The cell and the call columns of every sample in a log.

    Columns: completion, stop_reason, error, the token columns, usd, latency_s, sample_uuid,
    created_at, dataset_id and dataset_revision of a generated cell, `<name>_effective` for the
    sampling settings, and `lost_usd`, what a call with an error cost all the same. A sample with
    an error has usd 0.0 and no stop_reason; a blank completion is null.
    """
    batch, prices = is_batch(log), _prices_of(log, model, prices)
    for sample in _sent(log):
        yield cell_of(sample), _call_columns(sample, model, prices, batch)


def _prices_of(log: EvalLog, model: str, prices: PriceBook) -> PriceBook:
    """The price that the calls of a log were made at; `prices` where the log does not tell."""
    facts = log.eval.metadata or {}
    return PriceBook.as_booked(model, facts[PRICE]) if PRICE in facts else prices


def _sent(log: EvalLog) -> list[EvalSample]:
    """The samples of a log that a request was sent for; the others are no evidence of a call."""
    return [sample for sample in log.samples or [] if was_sent(sample)]


def _call_columns(sample: EvalSample, model: str, prices: PriceBook, batch: bool) -> Row:
    error = _error_of(sample)
    tokens = total_usage(sample.model_usage.values())
    usd = None if _is_unmetered(sample) else prices.usd(model, tokens, batch)
    completion = None if error else well_formed(sample.output.completion)
    is_answered = not error and bool(sample.output.choices)
    return {
        "completion": None if is_blank(completion) else completion,
        "stop_reason": sample.output.stop_reason if is_answered else None,
        "error": error,
        **tokens,
        "usd": 0.0 if error else usd,
        "lost_usd": usd if error else None,
        "latency_s": sample.working_time if sample.working_time is not None else sample.total_time,
        "sample_uuid": sample.uuid,
        "created_at": utc(sample.completed_at),
        "dataset_id": sample.metadata.get("dataset_id"),
        "dataset_revision": sample.metadata.get("dataset_revision"),
        "served_model": served_model(sample),
        **effective_settings(_last_call(sample)),
        "served_provider": sample.metadata.get(SERVED_PROVIDER),
        "reroutes": len(sample.metadata.get(REROUTES, ())),
    }


def _error_of(sample: EvalSample) -> str | None:
    if sample.error is not None:
        return error_text(sample.error)
    if sample.limit is not None:
        return f"stopped by a limit: {sample.limit.reason or sample.limit.type}"
    if sample.output.error:
        return _told(well_formed(sample.output.error))
    return None


def error_text(error: EvalError) -> str:
    """An error in one line, as far as anybody can act on it."""
    return _told(_readable(error))


def _told(error: str) -> str:
    """What a provider says, in one line, without the keys that it says it back with."""
    error = " ".join(error.split())
    # Cut twice: a secret that is cut in two would not be known for one.
    return without_secrets(error[: 2 * LONGEST_ERROR], os.environ)[:LONGEST_ERROR]


def _readable(error: EvalError) -> str:
    """The message of an error; of one that wraps another, what the provider said.

    tenacity's message names a memory address and no cause, inspect's begins with the whole
    request, and Python's with all that it could not encode; the traceback has the cause.
    """
    message = well_formed(error.message).strip()
    if message.startswith(_MARKED):
        message = re.sub(r"\[/?bold\]", "", message.removeprefix(_MARKED).lstrip(": "))
    if message.startswith(_WRAPPERS):
        causes = re.findall(r"^[\w.]+(?:Error|Exception|Timeout)\b.*$", error.traceback, re.M)
        causes = [cause for cause in causes if not any(name in cause for name in _WRAPPERS)]
        if causes:
            gave_up = "gave up after retries: " if message.startswith("RetryError") else ""
            message = gave_up + well_formed(causes[0])
        elif message.startswith(_NOT_UNICODE):
            message = f"{_NOT_UNICODE}: the reply holds a lone surrogate, which is no character"
    return message or "unknown error"


def effective_settings(call: ModelEvent | None) -> Row:
    """The settings that a call was really made with, as the provider's adapter set them."""
    config = call.config if call else None
    return {f"{name}_effective": getattr(config, name, None) for name in _EFFECTIVE}


def log_facts(log: EvalLog, model: str, prices: PriceBook) -> Row:
    """The columns of `log_index` that the log itself gives; usage is that of its header.

    `unmetered_calls` were answered without a usage that can be, or by a reply that could not be
    read: they are in no sum, and cost at most `unmetered_usd`. `saved_by_*_usd`: what the calls
    cost less than list price, by what made them cheaper; null without a price.
    """
    samples, prices = _sent(log), _prices_of(log, model, prices)
    tokens = _usage_of(log)
    batch = is_batch(log)
    unmetered = [
        sample.metadata.get(MOST_USD) for sample in samples for _ in range(_unmetered(sample))
    ]
    usd = prices.usd(model, tokens, batch)
    saved = prices.savings(model, tokens, batch)
    cached = [sample for sample in samples if is_cached(sample)]
    free = total_usage(sample.output.usage for sample in cached if sample.output.usage)
    return {
        "run_id": (log.eval.metadata or {}).get("run_id"),
        "task_name": log.eval.task,
        "model": model,
        "status": log.status,
        "started_at": utc(log.stats.started_at) or utc(log.eval.created),
        "completed_at": utc(log.stats.completed_at),
        "total_samples": len(samples),
        "completed_samples": sum(sample.error is None for sample in samples),
        "cached_samples": len(cached),
        **tokens,
        "usd": usd,
        "priced": usd is not None and not unmetered,
        "unmetered_calls": len(unmetered),
        "unmetered_usd": sum(most or 0.0 for most in unmetered),
        "batch": batch,
        "saved_by_response_cache_usd": prices.usd(model, free),
        "saved_by_prompt_cache_usd": saved.by_prompt_cache_usd if saved else None,
        "saved_by_batch_usd": saved.by_batch_usd if saved else None,
        "created_at": utc(log.eval.created),
        "calls": _calls(log, samples),
    }


def _calls(log: EvalLog, samples: list[EvalSample]) -> int | None:
    """The calls of a log that lacks some of their samples; else null: one for each sample."""
    noted = sum((log.eval.metadata or {}).get(NOTED_CALLS, {}).values())
    lacking = noted - sum(bool(sample.model_usage) for sample in samples)
    return len(samples) + lacking if lacking > 0 else None


def _usage_of(log: EvalLog) -> dict[str, int | None]:
    """The usage in the header of a log, where it may be believed; else that of its samples.

    The header of a killed run's log has no usage yet, and one implausible count spoils its sums.
    """
    of_header, of_samples = list(log.stats.model_usage.values()), _usage_of_samples(log)
    if any(map(_is_unmetered, _sent(log))):
        return of_samples
    if not of_header or not all(map(is_plausible, of_header)):
        return of_samples
    found = total_usage(of_header)
    is_less = any((found[name] or 0) < (count or 0) for name, count in of_samples.items())
    return of_samples if is_less else found


def _usage_of_samples(log: EvalLog) -> dict[str, int | None]:
    return total_usage(usage for sample in _sent(log) for usage in sample.model_usage.values())


def unlogged_call(log: EvalLog, model: str, prices: PriceBook) -> Row | None:
    """What a log was charged for beyond its samples, as one call; None where nothing was.

    An eval that is cut off can lose a sample on its way into the log, and a cell that is tried
    anew keeps only its last try: their usage is in the header alone. Columns: the token columns,
    usd, sample_uuid, created_at.
    """
    header, samples = _usage_of(log), _usage_of_samples(log)
    prices = _prices_of(log, model, prices)
    tokens = {
        name: None if count is None else count - (samples[name] or 0)
        for name, count in header.items()
    }
    if not any(tokens.values()):
        return None
    return {
        **tokens,
        "usd": prices.usd(model, tokens, is_batch(log)),
        "sample_uuid": f"{log.eval.task_id}:unlogged",
        "created_at": utc(log.stats.completed_at) or utc(log.eval.created),
    }


def is_cached(sample: EvalSample) -> bool:
    """Whether the response cache answered a sample."""
    call = _last_call(sample)
    return call is not None and call.cache == "read" and not sample.model_usage


def _last_call(sample: EvalSample) -> ModelEvent | None:
    calls = (event for event in reversed(sample.events) if isinstance(event, ModelEvent))
    return next(calls, None)


def _unmetered(sample: EvalSample) -> int:
    """How many replies to a sample came of which nobody knows what they cost."""
    return sample.metadata.get(UNREAD_REPLIES, 0) + _is_unmetered(sample)


def _is_unmetered(sample: EvalSample) -> bool:
    """Whether a reply came whose usage is missing, or cannot be: nobody knows what it cost."""
    usages = list(sample.model_usage.values())
    if not all(map(is_plausible, usages)):
        return True
    is_told = any(count for usage in usages for count in token_counts(usage).values())
    return bool(sample.output.choices) and not is_told and not is_cached(sample)


def is_batch(log: EvalLog) -> bool:
    return bool(log.plan.config.batch or log.eval.model_generate_config.batch)


def served_model(sample: EvalSample) -> str | None:
    """The model that the reply to a sample says it is of."""
    name = sample.output.model if sample.output.choices else ""
    return without_secrets(well_formed(name), os.environ) or None


def served_models(log: EvalLog) -> Mapping[str, Any]:
    """Which endpoint answered: base URL, and the model names that the provider returned."""
    names = {sample.output.model for sample in log.samples or [] if sample.output.model}
    return {"base_url": log.eval.model_base_url, "served_models": sorted(names)}


def utc(stamp: str | None) -> str | None:
    """An ISO-8601 timestamp in UTC, to the second, ending in Z."""
    if not stamp:
        return None
    moment = datetime.fromisoformat(stamp)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
