"""Logs of other tools: what their samples tell, and copies by partition that say what we read.

Another tool grades the solutions of all generate conditions in one log. A partition here has logs
of its own: such a log is split, and each copy has the usage of its samples.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ModelUsage

from itemeval_assets.core.design.cells.pending import Cell, is_blank
from itemeval_assets.core.text.words import well_formed

from .calls.tasks import cell_of
from .logs.usage import total_usage
from .tasks.logs.rows import cell_of_sample

_GRADED = "gen_condition_id"


class SamplePlace(NamedTuple):
    """Where a sample belongs. `graded`: the generate condition of what it grades, if it does."""

    graded: str | None
    cell: Cell


class LoggedCall(NamedTuple):
    """One sample of a log. `graded`: the generate condition of what it grades, if it does.

    `completion` is null where it is blank, or an error came. `shown`: the text of its messages.
    """

    graded: str | None
    cell: Cell
    completion: str | None
    is_error: bool
    total_tokens: int | None
    shown: str

    @property
    def place(self) -> SamplePlace:
        return SamplePlace(self.graded, self.cell)

    def at(self, place: SamplePlace) -> "LoggedCall":
        """The same call elsewhere."""
        return self._replace(graded=place.graded, cell=place.cell)


def logged_calls(log: EvalLog) -> list[LoggedCall]:
    """What the samples of a log tell."""
    return [_logged(sample) for sample in log.samples or []]


def _logged(sample: EvalSample) -> LoggedCall:
    text = None if sample.error else well_formed(sample.output.completion)
    return LoggedCall(
        graded=sample.metadata.get(_GRADED),
        cell=cell_of(sample),
        completion=None if is_blank(text) else text,
        is_error=sample.error is not None,
        total_tokens=total_usage(sample.model_usage.values())["total_tokens"],
        shown=_shown(sample),
    )


def _shown(sample: EvalSample) -> str:
    asked = sample.input
    return asked if isinstance(asked, str) else "".join(message.text for message in asked)


def usage_in_header(log: EvalLog) -> dict[str, int | None]:
    """The token columns of all that a log was charged for."""
    return total_usage(log.stats.model_usage.values())


def moved(log: EvalLog, places: Mapping[SamplePlace, SamplePlace]) -> EvalLog:
    """A log whose samples say where they belong here, if that is elsewhere."""
    samples = [_moved(sample, places) for sample in log.samples or []]
    return log.model_copy(update={"samples": samples}) if places else log


def _moved(sample: EvalSample, places: Mapping[SamplePlace, SamplePlace]) -> EvalSample:
    here = places.get(SamplePlace(sample.metadata.get(_GRADED), cell_of(sample)))
    if here is None:
        return sample
    told = {**here.cell._asdict(), **({_GRADED: here.graded} if here.graded is not None else {})}
    return sample.model_copy(update={"metadata": {**sample.metadata, **told}})


def part_of(
    log: EvalLog,
    graded: str | None,
    metadata: Mapping[str, Any],
    of_cells: Mapping[Cell, Mapping[str, Any]],
    only: Collection[Cell] | None = None,
) -> EvalLog:
    """A log with the samples that grade one condition, or all where it grades none.

    `metadata` stands in its header, and `of_cells` in its samples, beside what was there. What the
    header was charged for beyond all samples goes to the first of the parts. `only`: the cells
    whose samples come in; null: all.
    """

    def is_own(sample: EvalSample) -> bool:
        is_wanted = only is None or cell_of_sample(sample) in only
        return is_wanted and sample.metadata.get(_GRADED) == graded

    samples = log.samples or []
    own = [sample for sample in samples if is_own(sample)]
    others = [sample for sample in samples if not is_own(sample)]
    is_first = bool(samples) and samples[0].metadata.get(_GRADED) == graded
    usage = (
        {name: _less(used, name, others) for name, used in log.stats.model_usage.items()}
        if is_first and _has_all(log.stats.model_usage, samples)
        else _summed(own)
    )
    spec = log.eval.model_copy(
        update={
            "metadata": {**(log.eval.metadata or {}), **metadata},
            "dataset": log.eval.dataset.model_copy(
                update={"samples": len(own), "sample_ids": [sample.id for sample in own]}
            ),
        }
    )
    return log.model_copy(
        update={
            "eval": spec,
            "stats": log.stats.model_copy(update={"model_usage": usage}),
            "samples": [
                sample.model_copy(
                    update={"metadata": {**sample.metadata, **of_cells.get(cell_of(sample), {})}}
                )
                for sample in own
            ],
        }
    )


def _has_all(header: Mapping[str, ModelUsage], samples: list[EvalSample]) -> bool:
    """Whether a header has the usage of all samples: that of a retry has its own ones alone."""
    return all(
        name in header and header[name].total_tokens >= used.total_tokens
        for name, used in _summed(samples).items()
    )


def _summed(samples: list[EvalSample]) -> dict[str, ModelUsage]:
    found: dict[str, ModelUsage] = {}
    for sample in samples:
        for name, used in sample.model_usage.items():
            found[name] = found[name] + used if name in found else used
    return found


def _less(used: ModelUsage, model: str, others: list[EvalSample]) -> ModelUsage:
    """A usage without that of these samples."""
    beyond = [other.model_usage[model] for other in others if model in other.model_usage]
    counts: dict[str, Any] = {
        name: value - sum(getattr(other, name) or 0 for other in beyond)
        for name, value in used.model_dump(exclude_none=True).items()
        if isinstance(value, int)
    }
    return used.model_copy(update=counts)
