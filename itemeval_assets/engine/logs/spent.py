"""What the replies of an eval used, noted beside its logs at once.

A log lags behind its calls: a sample reaches it in groups, and after its solver. A process that
dies between leaves replies that are paid for and in no log. Their usage is in the notes.
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from inspect_ai.log import EvalLog
from inspect_ai.log._samples import sample_active
from inspect_ai.model import Model, ModelOutput, ModelUsage
from inspect_ai.model._model import model_usage_cost

from itemeval_assets.core.errors import StoreError
from itemeval_assets.storage.study.log_files import notes_of

from .usage import is_plausible

# In the metadata of a log that lacks samples: how many replies of each model were noted.
NOTED_CALLS = "noted_calls"


class Spent:
    """The usage of the replies of one eval, by the log that their samples belong to, and by model.

    It is in memory, and in a file beside each log until `forget`: one line per reply.
    """

    def __init__(self) -> None:
        self._by_log: dict[str, dict[str, ModelUsage]] = {}
        self._calls: dict[str, Counter[str]] = {}
        self._without_notes: set[str] = set()

    def add(self, model: Model, output: ModelOutput) -> None:
        """Add what a reply to the sample at work used, if it tells a usage that can be."""
        sample = sample_active()
        if sample is None or output.usage is None or not is_plausible(output.usage):
            return
        cost = model_usage_cost(model, output.usage, output)
        usage = output.usage.model_copy(update={"total_cost": cost})
        self.add_usage(sample.log_location, str(model), usage)

    def add_usage(self, log: str, model: str, usage: ModelUsage) -> None:
        """Add what a reply used to a log, and note it."""
        _count(self._by_log.setdefault(log, {}), model, usage)
        self._calls.setdefault(log, Counter())[model] += 1
        self._note(log, model, usage)

    def _note(self, log: str, model: str, usage: ModelUsage) -> None:
        if log in self._without_notes:
            return
        line = json.dumps({"model": model, "usage": usage.model_dump(exclude_none=True)})
        path = Path(notes_of(log))
        try:
            # Opened for each line: a run of many conditions has more logs than files it may open.
            with path.open("ab") as notes:
                notes.write(line.encode() + b"\n")
        except OSError as error:
            # The reply is there and paid for, and the log tells of it unless the process is killed.
            # A line that was cut must stay the last one.
            self._without_notes.add(log)
            logging.getLogger(__name__).warning("cannot write %s: %s", path, error.strerror)

    def of(self, log: str) -> dict[str, ModelUsage]:
        return self._by_log.get(log, {})

    def calls_of(self, log: str) -> dict[str, int]:
        """How many replies that is, by model."""
        return dict(self._calls.get(log, {}))

    def forget(self) -> None:
        """Remove the files: the logs tell it all now."""
        for log in self._by_log:
            Path(notes_of(log)).unlink(missing_ok=True)


def with_notes(log: EvalLog, notes: bytes | None, place: str) -> EvalLog:
    """A log whose header has the usage and the calls of the notes, where these tell of more tokens.

    `place`: where the notes lie. Raises StoreError for notes that cannot be read.
    """
    noted, calls = _sums(notes or b"", place)
    if _tokens(noted) > _tokens(log.stats.model_usage):
        tell_noted(log, noted, calls)
    return log


def tell_noted(log: EvalLog, used: Mapping[str, ModelUsage], calls: Mapping[str, int]) -> None:
    """Put what was noted into the header: the samples of the log do not tell it all."""
    log.stats.model_usage = dict(used)
    log.eval.metadata = {**(log.eval.metadata or {}), NOTED_CALLS: dict(calls)}


def _sums(notes: bytes, place: str) -> tuple[dict[str, ModelUsage], Counter[str]]:
    """Usage and number of the replies, by model."""
    found: dict[str, ModelUsage] = {}
    calls = Counter[str]()
    # What stands behind the last end of a line was cut off with the process.
    for line in notes.split(b"\n")[:-1]:
        try:
            note = json.loads(line)
            model, usage = note["model"], ModelUsage.model_validate(note["usage"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{place} does not hold the usage of calls that a killed run noted: {line[:80]!r}. "
                "Restore it from a copy, or remove it to go on without what only it tells"
            ) from error
        _count(found, model, usage)
        calls[model] += 1
    return found, calls


def _count(found: dict[str, ModelUsage], model: str, usage: ModelUsage) -> None:
    found[model] = found[model] + usage if model in found else usage


def _tokens(usage: Mapping[str, ModelUsage]) -> int:
    return sum(used.total_tokens for used in usage.values() if is_plausible(used))
