"""Answers of a batch that no cell asks for any more: nobody reads them, and they are billed.

What they have used stands in the header of a log without samples.
"""

import hashlib
from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any

from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec, EvalStats
from inspect_ai.model import GenerateConfig, ModelUsage

from itemeval_assets.core.records.batches import KeptBatch
from itemeval_assets.engine.logs.spent import NOTED_CALLS


def usage_of(answer: Any) -> ModelUsage | None:
    """What an answer of OpenAI, Together or Anthropic used, as inspect_ai counts it; else null."""
    used: Any = getattr(answer, "usage", None)
    if hasattr(used, "prompt_tokens"):
        names = "prompt_tokens", "completion_tokens"
    elif hasattr(used, "input_tokens_details"):
        names = "input_tokens", "output_tokens"
    else:
        return _of_message(used) if hasattr(used, "cache_read_input_tokens") else None
    read, written = (getattr(used, name) for name in names)
    details, said = (getattr(used, f"{name}_details", None) for name in names)
    cached, kept = (getattr(details, f"{name}_tokens", None) for name in ("cached", "cache_write"))
    return ModelUsage(
        input_tokens=read - (cached or 0) - (kept or 0),
        output_tokens=written,
        total_tokens=used.total_tokens,
        input_tokens_cache_read=cached,
        input_tokens_cache_write=kept,
        reasoning_tokens=getattr(said, "reasoning_tokens", None),
    )


def _of_message(used: Any) -> ModelUsage:
    """Anthropic counts what came from the prompt cache apart."""
    counts = {
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "input_tokens_cache_read": used.cache_read_input_tokens,
        "input_tokens_cache_write": used.cache_creation_input_tokens,
    }
    return ModelUsage(**counts, total_tokens=sum(count or 0 for count in counts.values()))


def log_of_billed(
    batch: KeptBatch, used: Mapping[str, ModelUsage], metadata: Mapping[str, Any]
) -> EvalLog:
    """A log of what these lines of a batch used. For the same lines it is always the same.

    `metadata` is what other logs say of their calls; it names the model.
    """
    lines = hashlib.sha256("\n".join([batch.name, *sorted(used)]).encode()).hexdigest()[:22]
    model = str(metadata["model"])
    noted = {NOTED_CALLS: {model: len(used)}}
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created=batch.created_at,
            task="superseded",
            task_id=lines,
            run_id=lines,
            dataset=EvalDataset(samples=0, sample_ids=[]),
            model=batch.model,
            model_generate_config=GenerateConfig(batch=True),
            config=EvalConfig(),
            metadata={**metadata, **noted},
        ),
        stats=EvalStats(
            started_at=batch.created_at,
            completed_at=batch.created_at,
            model_usage={batch.model: reduce(add, used.values())},
        ),
        samples=[],
    )
