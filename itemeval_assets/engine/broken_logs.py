"""Logs that inspect could not write to their end: its eval of a Task broke, and the others went on.

Samples that never came into such a log were answered, and paid for. What they cost is written
into its header, as inspect itself does for samples that it drops when an eval is cut off.
"""

from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.log._samples import sample_active
from inspect_ai.model import ModelUsage
from inspect_ai.model._model import sample_model_usage

__all__ = ["Spent"]


class Spent:
    """What the calls of one eval cost, by the log that their samples belong to."""

    def __init__(self) -> None:
        self._by_log: dict[str, dict[str, ModelUsage]] = {}

    def add(self) -> None:
        """Add what the sample at work has cost."""
        sample = sample_active()
        assert sample is not None
        known = self._by_log.setdefault(sample.log_location, {})
        for model, usage in sample_model_usage().items():
            known[model] = known[model] + usage if model in known else usage

    def complete(self, log: EvalLog) -> None:
        """Write how a broken log ended, and what its calls cost, into its header on the disk."""
        kept = read_eval_log(log.location)
        kept.status, kept.error = log.status, log.error
        kept.stats.model_usage = self._by_log.get(log.location, {})
        write_eval_log(kept, log.location)
