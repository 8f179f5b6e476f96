"""From the log of a task to rows. A sample has made any number of calls, to any models."""

from collections.abc import Iterator, Mapping
from typing import Any

from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ModelUsage

from itemeval_assets.core.design.pending import Cell, is_blank
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.text.words import well_formed
from itemeval_assets.engine.calls.in_flight import UNREAD_REPLIES, was_sent
from itemeval_assets.engine.logs.usage import is_plausible, no_tokens, token_counts, total_usage
from itemeval_assets.engine.rows import PRICE, effective_settings, error_text, is_batch, utc

from .running import MOST_USD, TASK
from .samples import item_id

Row = dict[str, Any]
Tokens = dict[str, int | None]
# In the metadata of a log: the prices of the models that its samples called besides.
PRICES = "prices_of_others"
_STOPPED = "the run was stopped before an answer came"


def is_of_task(log: EvalLog) -> bool:
    """Whether a log is of a task, and not of calls that were made one by one."""
    return TASK in (log.eval.metadata or {})


def sample_rows(log: EvalLog, model: str, prices: PriceBook) -> Iterator[tuple[Cell, Row]]:
    """The cell and the call columns of every sample, as `call_rows` gives those of a call.

    Tokens and usd are those of all its calls, also of its scorers. A limit of the task is no error:
    what was answered until then is the answer.
    """
    facts, booked = log.eval.metadata or {}, _prices(log, model, prices)
    place = {name: facts.get(name) for name in ("dataset_id", "dataset_revision")}
    for sample in _sent(log):
        yield cell_of_sample(sample), {**_columns(sample, log, model, booked), **place}


def cell_of_sample(sample: EvalSample) -> Cell:
    """The cell of a logged sample of a task."""
    return Cell(item_id(sample), sample.epoch)


def _columns(sample: EvalSample, log: EvalLog, model: str, prices: "_Prices") -> Row:
    error = _error(sample)
    usd = prices.usd(sample.model_usage, is_batch(log))
    if not sample.model_usage and not any(map(_is_unmetered, _model_events(sample))):
        usd = 0.0  # no model was called
    completion = None if error else well_formed(sample.output.completion)
    return {
        "completion": None if is_blank(completion) else completion,
        "stop_reason": None if error else _stop_reason(sample),
        "error": error,
        **total_usage(sample.model_usage.values()),
        "usd": 0.0 if error else usd,
        "lost_usd": usd if error else None,
        "latency_s": sample.working_time if sample.working_time is not None else sample.total_time,
        "sample_uuid": sample.uuid,
        "created_at": utc(sample.completed_at),
        **effective_settings(next((e for e in reversed(_calls(sample, model))), None)),
    }


def _error(sample: EvalSample) -> str | None:
    if sample.error is None:
        return None
    told = error_text(sample.error)
    return _STOPPED if told.startswith("CancelledError") else told


def _stop_reason(sample: EvalSample) -> str | None:
    if sample.limit is not None:
        return f"{sample.limit.type}_limit"
    return sample.output.stop_reason if sample.output.choices else None


def task_index(log: EvalLog, model: str, prices: PriceBook) -> list[Row]:
    """Rows of `log_index`: one for each model that was called, that of the condition first.

    `calls` counts those of each model; the samples are those of the first row.
    """
    samples, booked = _sent(log), _prices(log, model, prices)
    used = _usage_of(log)
    shared = {
        "run_id": (log.eval.metadata or {}).get("run_id"),
        "task_name": log.eval.task,
        "status": log.status,
        "started_at": utc(log.stats.started_at) or utc(log.eval.created),
        "completed_at": utc(log.stats.completed_at),
        "batch": is_batch(log),
        "created_at": utc(log.eval.created),
    }
    rows = []
    for name in dict.fromkeys([model, *used]):
        is_own = name == model
        unmetered = sum(_unmetered(sample, name) for sample in samples)
        unmetered += sum(one.metadata.get(UNREAD_REPLIES, 0) for one in samples) if is_own else 0
        most = float((log.eval.metadata or {}).get(MOST_USD, 0.0))
        tokens = used.get(name, no_tokens())
        usd = booked.of_tokens(name, tokens, is_batch(log))
        saved = booked.savings(name, tokens, is_batch(log))
        rows.append(
            {
                **shared,
                "model": name,
                "total_samples": len(samples) if is_own else 0,
                "completed_samples": sum(one.error is None for one in samples) if is_own else 0,
                "cached_samples": 0,
                "calls": sum(len(_calls(sample, name)) for sample in samples),
                **tokens,
                "usd": usd,
                "priced": usd is not None and not unmetered,
                "unmetered_calls": unmetered,
                "unmetered_usd": unmetered * most,
                "saved_by_response_cache_usd": None if usd is None else 0.0,
                "saved_by_prompt_cache_usd": saved[0] if saved else None,
                "saved_by_batch_usd": saved[1] if saved else None,
            }
        )
    return rows


def unlogged_of_task(log: EvalLog, model: str, prices: PriceBook) -> Row | None:
    """As `unlogged_call`: what a log was charged for beyond its samples, all models together."""
    booked, samples = _prices(log, model, prices), _by_model(log)
    found, usds = [], []
    for name, used in _usage_of(log).items():
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
        "usd": _known_sum(usds),
        "sample_uuid": f"{log.eval.task_id}:unlogged",
        "created_at": utc(log.stats.completed_at) or utc(log.eval.created),
    }


def add_prices(log: EvalLog, model: str, prices: PriceBook) -> bool:
    """Note the prices of the models that samples called besides; whether there was one to note."""
    if not is_of_task(log) or log.eval.metadata is None:
        return False
    known = log.eval.metadata.setdefault(PRICES, {})
    new = [name for name in _usage_of(log) if name != model and name not in known]
    known.update({name: prices.evidence(name) for name in new})
    return bool(new)


def _usage_of(log: EvalLog) -> dict[str, Tokens]:
    """The usage by model: of the header, where it may be believed; else of the samples."""
    of_samples, header = _by_model(log), log.stats.model_usage
    found = {}
    for name in dict.fromkeys([*header, *of_samples]):
        known = of_samples.get(name, no_tokens())
        told = header.get(name)
        told = token_counts(told) if told is not None else no_tokens()
        is_less = any((told[column] or 0) < (count or 0) for column, count in known.items())
        found[name] = known if is_less else told
    return {name: tokens for name, tokens in found.items() if any(tokens.values())}


def _by_model(log: EvalLog) -> dict[str, Tokens]:
    found: dict[str, list[ModelUsage]] = {}
    for sample in _sent(log):
        for name, usage in sample.model_usage.items():
            found.setdefault(name, []).append(usage)
    return {name: total_usage(usages) for name, usages in found.items()}


def _sent(log: EvalLog) -> list[EvalSample]:
    """The samples that may have cost something, or that failed before they could."""
    return [sample for sample in log.samples or [] if was_sent(sample)]


def _calls(sample: EvalSample, model: str) -> list[ModelEvent]:
    return [event for event in _model_events(sample) if event.model == model]


def _model_events(sample: EvalSample) -> Iterator[ModelEvent]:
    return (event for event in sample.events if isinstance(event, ModelEvent))


def _unmetered(sample: EvalSample, model: str) -> int:
    """How many replies of a model came of which nobody knows what they cost."""
    return sum(map(_is_unmetered, _calls(sample, model)))


def _is_unmetered(event: ModelEvent) -> bool:
    if event.error or event.cache == "read" or not event.output.choices:
        return False
    usage = event.output.usage
    return usage is None or not is_plausible(usage) or not any(token_counts(usage).values())


class _Prices:
    """The prices that the calls of a log were made at; those of today where it does not tell."""

    def __init__(self, booked: Mapping[str, Any], today: PriceBook) -> None:
        self._books = {model: PriceBook.as_booked(model, one) for model, one in booked.items()}
        self._today = today

    def _book(self, model: str) -> PriceBook:
        return self._books.get(model, self._today)

    def usd(self, used: Mapping[str, ModelUsage], batch: bool) -> float | None:
        """What some usage cost, as far as prices are known; null where none is."""
        told = [(name, token_counts(usage)) for name, usage in used.items() if is_plausible(usage)]
        return _known_sum([self.of_tokens(name, tokens, batch) for name, tokens in told])

    def of_tokens(self, model: str, tokens: Tokens, batch: bool) -> float | None:
        return self._book(model).usd(model, tokens, batch)

    def savings(self, model: str, tokens: Tokens, batch: bool) -> tuple[float, float] | None:
        return self._book(model).savings(model, tokens, batch)


def _prices(log: EvalLog, model: str, prices: PriceBook) -> _Prices:
    facts = log.eval.metadata or {}
    own = {model: facts[PRICE]} if PRICE in facts else {}
    return _Prices({**facts.get(PRICES, {}), **own}, prices)


def _known_sum(usds: list[float | None]) -> float | None:
    known = [usd for usd in usds if usd is not None]
    return sum(known) if known else None


def _sum(parts: list[Tokens]) -> Tokens:
    found = no_tokens()
    for name in found:
        counts = [part[name] for part in parts if part[name] is not None]
        found[name] = sum(count or 0 for count in counts) if counts else None
    return found
