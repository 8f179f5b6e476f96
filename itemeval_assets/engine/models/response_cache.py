"""What inspect's response cache would answer, found out without a call.

The key of an entry is made by inspect itself, from the same messages and settings as in a
run; a test compares what is found here with what a run then reads.
"""

from collections.abc import Mapping

from inspect_ai._eval.task.util import sample_messages
from inspect_ai._util._async import run_coroutine
from inspect_ai.dataset import Sample
from inspect_ai.model import CachePolicy, GenerateConfig, Model, cache_path
from inspect_ai.model._cache import CacheEntry, cache_fetch, epoch

from itemeval_assets.core.design.cells.pending import Cell


def cache_policy(cell: Cell, scopes: Mapping[str, str]) -> CachePolicy:
    """Kept for ever, and apart by epoch and by `scopes`: they stay independent draws."""
    return CachePolicy(expiry=None, scopes={"epoch": str(cell.epoch), **scopes})


def cached_answers(
    model: Model,
    config: GenerateConfig,
    scopes: Mapping[str, str],
    samples: Mapping[Cell, tuple[Sample, int]],
) -> dict[Cell, str]:
    """The completions that the cache holds for some calls: (sample, inspect's epoch) by cell."""
    return run_coroutine(_look_up(model, config, scopes, samples)) if has_answers(model) else {}


def has_answers(model: Model) -> bool:
    """Whether the cache may hold an answer of a model, whatever it was asked."""
    return has_cache() and cache_path(str(model)).exists()


def has_cache() -> bool:
    """Whether there is a cache, or one can be made: inspect fails every call where there is not."""
    try:
        return cache_path().is_dir()
    except OSError:
        return False


async def _look_up(
    model: Model,
    config: GenerateConfig,
    scopes: Mapping[str, str],
    samples: Mapping[Cell, tuple[Sample, int]],
) -> dict[Cell, str]:
    settings = _as_called(model, config)
    found = {}
    for cell, (sample, sample_epoch) in samples.items():
        epoch.set(sample_epoch)
        prepared = await model._prepare_input(sample_messages(sample), [], None, settings)
        entry = CacheEntry(
            base_url=model.api.base_url,
            config=settings,
            input=prepared.input,
            model=str(model),
            policy=cache_policy(cell, scopes),
            tool_choice=prepared.tool_choice,
            tools=[],
        )
        output = cache_fetch(entry)
        if output is not None:
            found[cell] = output.completion
    return found


def _as_called(model: Model, config: GenerateConfig) -> GenerateConfig:
    """The settings as inspect completes them before a call."""
    settings = model._resolve_config(config)
    if settings.max_tokens is None:
        settings.max_tokens = model.api.max_tokens_for_config(settings) or model.api.max_tokens()
    return settings
