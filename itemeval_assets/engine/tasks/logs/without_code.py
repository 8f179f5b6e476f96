"""A task whose code is not here: what its logs tell of it, and which of them are of one way to run.

Nothing tells which settings, limits and solver are the task's own, and which were given to `inspect
eval`. So all logs of a study have the same: those of one log, the pattern.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.event import SampleInitEvent
from inspect_ai.log import EvalLog, EvalSample, resolve_sample_attachments

from itemeval_assets.core.config.sections import ModelConfigFacet
from itemeval_assets.core.design.conditions.ids import canonical_json
from itemeval_assets.core.tasks.reference import TaskRef

from ..samples import item_id
from .made_by_inspect import LIMITS, OF_REQUESTS, plain
from .usage import sent_samples

# What a condition of the design can ask for.
_SETTINGS = {*ModelConfigFacet.model_fields, "seed"} - {"name"}


@dataclass(frozen=True)
class LoggedTask:
    """What tells the logs of a task from those of others. `pattern`: null where there is none."""

    ref: TaskRef
    pattern: EvalLog | None = None

    def like_most(self, logs: Iterable[EvalLog]) -> "LoggedTask":
        """The same, with a pattern: the first of those that most logs of the task are like."""
        own = [log for log in logs if self.is_made_by(log) and self.has_arguments_of(log)]
        counts = Counter(canonical_json(way_of(log)) for log in own)
        first = max(own, key=lambda log: counts[canonical_json(way_of(log))], default=None)
        return LoggedTask(self.ref, first)

    def is_made_by(self, log: EvalLog) -> bool:
        """Whether a log is of a task of this name, and of its package or file, if one is named."""
        spec = log.eval
        registered = spec.task_registry_name or spec.task
        if self.ref.file is None and "/" in self.ref.word and "/" in registered:
            return registered == self.ref.word
        if self.ref.file and spec.task_file and _name(spec.task_file) != _name(self.ref.file):
            return False
        return bool({spec.task, registered} & {self.ref.word, self.ref.short})

    def has_arguments_of(self, log: EvalLog) -> bool:
        """Whether its task was called with these arguments, and with no others."""
        given, passed = log.eval.task_args or {}, log.eval.task_args_passed or {}
        defaults = {name: value for name, value in given.items() if name not in passed}
        return plain({**defaults, **self.ref.args}) == plain(given)

    def why_another(self, log: EvalLog) -> str | None:
        """What of a log is not as in the pattern."""
        if self.pattern is None:
            return None
        own, other = way_of(self.pattern), way_of(log)
        return next((what for what in own if own[what] != other[what]), None)

    def asked(self, log: EvalLog) -> dict[str, Any]:
        """The settings that its models were asked with, of those that a design can have."""
        return {name: value for name, value in _settings(log).items() if name in _SETTINGS}


def ref_of(log: EvalLog) -> TaskRef:
    """How the YAML names the task of a log, so that it can name its code later."""
    spec = log.eval
    name = spec.task_registry_name or spec.task
    is_in_file = spec.task_file and "/" not in name
    word = f"{_name(spec.task_file)}@{name}" if spec.task_file and is_in_file else name
    return TaskRef(word, spec.task_args_passed or {})


def way_of(log: EvalLog) -> dict[str, Any]:
    """What all logs of a study have in common, by what a log is said to have if it differs."""
    spec = log.eval
    roles = {
        name: [one.model for one in (role if isinstance(role, list) else [role])]
        for name, role in (spec.model_roles or {}).items()
    }
    others = {name: value for name, value in _settings(log).items() if name not in _SETTINGS}
    limits = {name: getattr(spec.config, name, None) for name in LIMITS}
    return {
        "another version of the task": plain({"is": spec.task_version}),
        "another solver": plain({"is": spec.solver, "args": spec.solver_args or {}}),
        "other models in roles": plain(roles),
        "other limits": plain(limits),
        "other settings that no design has": plain(others),
    }


def _settings(log: EvalLog) -> Mapping[str, Any]:
    given = log.plan.config.model_dump(exclude_none=True)
    return {name: value for name, value in given.items() if name not in OF_REQUESTS}


def _name(path: str) -> str:
    return Path(path.replace("\\", "/")).name


def samples_in(log: EvalLog) -> Iterator[Sample]:
    """The samples of a log as its task had them, once for each id, and in its order."""
    by_id: dict[str, EvalSample] = {}
    for sample in sent_samples(log):
        by_id.setdefault(item_id(sample), sample)
    order = [str(id) for id in log.eval.dataset.sample_ids or []]
    for id in dict.fromkeys([*order, *by_id]):
        if id in by_id:
            yield _as_begun(by_id[id])


def _as_begun(sample: EvalSample) -> Sample:
    """A sample as it was before its solver began, which may have written into its metadata."""
    begun = [event for event in sample.events if isinstance(event, SampleInitEvent)][:1]
    few = sample.model_copy(update={"events": begun, "messages": [], "error_retries": None})
    whole = resolve_sample_attachments(few)
    events = [event for event in whole.events if isinstance(event, SampleInitEvent)]
    metadata = events[0].sample.metadata if events else whole.metadata
    return Sample(
        id=whole.id,
        input=whole.input,
        target=whole.target,
        choices=whole.choices,
        metadata=metadata or {},
    )
