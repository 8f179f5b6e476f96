"""What the log of a task says of its calls: which samples made any, of which models, with how much.

A sample has made any number of calls, to any models.
"""

from collections.abc import Iterator
from typing import TypeGuard

from inspect_ai.event import Event, ModelEvent
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ModelUsage

from itemeval_assets.engine.calls.in_flight.ended import was_refused, was_sent
from itemeval_assets.engine.logs.spent import NOTED_CALLS
from itemeval_assets.engine.logs.usage import is_plausible, no_tokens, token_counts, total_usage

from ..running import TASK

Tokens = dict[str, int | None]


def is_of_task(log: EvalLog) -> bool:
    """Whether a log is of a task, and not of calls that were made one by one."""
    return TASK in (log.eval.metadata or {})


def usage_of(log: EvalLog) -> dict[str, Tokens]:
    """The usage by model: of the header, where it may be believed; else of the samples."""
    of_samples, header = usage_of_samples(log), log.stats.model_usage
    found = {}
    for name in dict.fromkeys([*header, *of_samples]):
        known = of_samples.get(name, no_tokens())
        told = header.get(name)
        told = token_counts(told) if told is not None else no_tokens()
        is_less = any((told[column] or 0) < (count or 0) for column, count in known.items())
        found[name] = known if is_less else told
    return {name: tokens for name, tokens in found.items() if any(tokens.values())}


def usage_of_samples(log: EvalLog) -> dict[str, Tokens]:
    """The usage by model, as the samples have it."""
    found: dict[str, list[ModelUsage]] = {}
    for sample in sent_samples(log):
        for name, usage in sample.model_usage.items():
            found.setdefault(name, []).append(usage)
    return {name: total_usage(usages) for name, usages in found.items()}


def sent_samples(log: EvalLog) -> list[EvalSample]:
    """The samples that may have cost something, or that failed before they could."""
    return [sample for sample in log.samples or [] if was_sent(sample)]


def calls_of(sample: EvalSample, model: str) -> list[ModelEvent]:
    """The calls of one model that a sample made, in order."""
    return [event for event in calls_in(sample) if event.model == model]


def count_calls(log: EvalLog, model: str) -> int:
    """How many calls of one model a log tells of; of samples that it lacks, those that were noted.

    Noted is each reply with a usage: of samples in the log it is an event, too.
    """
    made = [event for sample in sent_samples(log) for event in _all_calls(sample, model)]
    noted = (log.eval.metadata or {}).get(NOTED_CALLS, {}).get(model, 0)
    return len(made) + max(0, noted - sum(map(_is_metered, made)))


def _all_calls(sample: EvalSample, model: str) -> Iterator[ModelEvent]:
    """The calls of a sample, and those that inspect_ai keeps of its earlier tries."""
    earlier = [event for retry in sample.error_retries or [] for event in retry.events or []]
    for event in [*earlier, *sample.events]:
        if _is_call(event) and event.model == model:
            yield event


def _is_metered(event: ModelEvent) -> bool:
    """Whether a reply came with a usage that can be."""
    usage = event.output.usage
    return event.cache != "read" and usage is not None and is_plausible(usage)


def calls_in(sample: EvalSample) -> Iterator[ModelEvent]:
    """The calls of all models that a sample made, in order."""
    return (event for event in sample.events if _is_call(event))


def _is_call(event: Event) -> TypeGuard[ModelEvent]:
    """Whether an event is a call, and not one that was refused before its request was sent."""
    return isinstance(event, ModelEvent) and not was_refused(event.error)


def unmetered_of(sample: EvalSample, model: str) -> int:
    """How many replies of a model came of which nobody knows what they cost."""
    return sum(map(is_unmetered, calls_of(sample, model)))


def is_unmetered(event: ModelEvent) -> bool:
    """Whether a reply came whose usage is missing, or cannot be."""
    if event.error or event.cache == "read" or not event.output.choices:
        return False
    usage = event.output.usage
    return usage is None or not is_plausible(usage) or not any(token_counts(usage).values())
