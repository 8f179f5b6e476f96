"""From the log of a task to rows of solutions."""

from collections.abc import Iterator
from typing import Any

from inspect_ai.log import EvalLog, EvalSample

from itemeval_assets.core.design.cells.pending import Cell, is_blank
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.text.words import well_formed
from itemeval_assets.engine.calls.hopeless import DESCRIBE_IT, undescribed_tool
from itemeval_assets.engine.calls.in_flight.ended import REFUSED
from itemeval_assets.engine.logs.usage import total_usage
from itemeval_assets.engine.rows import effective_settings, error_text, is_batch, served_model, utc

from ..samples import item_id
from .prices import Prices, prices_of
from .usage import calls_in, calls_of, is_unmetered, sent_samples

Row = dict[str, Any]
_STOPPED = "the run was stopped before an answer came"


def sample_rows(log: EvalLog, model: str, prices: PriceBook) -> Iterator[tuple[Cell, Row]]:
    """The cell and the call columns of every sample, as `call_rows` gives those of a call.

    Tokens and usd are those of all its calls, also of its scorers. A limit of the task is no error:
    what was answered until then is the answer.
    """
    facts, booked = log.eval.metadata or {}, prices_of(log, model, prices)
    place = {name: facts.get(name) for name in ("dataset_id", "dataset_revision")}
    for sample in sent_samples(log):
        yield cell_of_sample(sample), {**_columns(sample, log, model, booked), **place}


def cell_of_sample(sample: EvalSample) -> Cell:
    """The cell of a logged sample of a task."""
    return Cell(item_id(sample), sample.epoch)


def _columns(sample: EvalSample, log: EvalLog, model: str, prices: Prices) -> Row:
    error = _error(sample)
    usd = prices.usd(sample.model_usage, is_batch(log))
    if not sample.model_usage and not any(map(is_unmetered, calls_in(sample))):
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
        "served_model": served_model(sample),
        # Older versions of inspect_ai do not tell when a sample ended.
        "created_at": utc(sample.completed_at) or utc(log.stats.completed_at or log.eval.created),
        **effective_settings(next((e for e in reversed(calls_of(sample, model))), None)),
    }


def _error(sample: EvalSample) -> str | None:
    """Why a sample has no answer: also one whose code went on after a request was refused."""
    if sample.error is None:
        return sample.metadata.get(REFUSED)
    told = error_text(sample.error)
    if undescribed_tool(told):
        return f"{told}; {DESCRIBE_IT}"
    return _STOPPED if told.startswith("CancelledError") else told


def _stop_reason(sample: EvalSample) -> str | None:
    if sample.limit is not None:
        return f"{sample.limit.type}_limit"
    return sample.output.stop_reason if sample.output.choices else None
