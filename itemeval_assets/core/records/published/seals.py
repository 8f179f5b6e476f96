"""A seal: what was planned, written down before it was paid for, and what has changed since.

A seal is never replaced. A study that is sealed again has both, so that a plan that was made to fit
its results can be told from one that came before them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from itemeval_assets.core.design.conditions.ids import canonical_json
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.text.secrets import redacted
from itemeval_assets.core.text.words import counted, dollars

from ..manifest import datasets_of, templates_of

# What says where and how calls are made, and not what is asked or how it is judged.
_NOT_PLANNED = {"output_dir", "prompts_dir", "rubrics_dir", "cache", "budget", "automation"}
_HOW_TO_CALL = {"attempt_timeout", "max_retries", "retry_on_error", "max_connections"}
_ABSENT = "nothing"


class Deviation(NamedTuple):
    """A place of the plan, by its path in the YAML, that is not as it was sealed."""

    path: str
    sealed: str
    now: str

    @property
    def words(self) -> str:
        return f"{self.path} was {self.sealed}, is {self.now}"


@dataclass(frozen=True)
class Seal:
    """A plan at a moment. `calls` and `usd`: what the ledger had until then.

    `sha256` is that of the canonical JSON of all the other fields.
    """

    sha256: str
    sealed_at: str
    calls: int
    usd: float | None
    plan: Mapping[str, Any]

    @property
    def is_intact(self) -> bool:
        return self.sha256 == _digest(asdict(self))

    @property
    def when(self) -> str:
        """Before or after which calls."""
        if not self.calls:
            return "before the first call"
        return f"after {counted(self.calls, 'call')} ({dollars(self.usd)})"


@dataclass(frozen=True)
class SealState:
    """The seals of a study, oldest first, and how the study deviates from the last one.

    `is_new`: whether the last one was written just now. `uri`: where they lie. `raters`: who rates
    since the last one. They are no deviation: they change nothing that is asked of a model.
    """

    study: str
    seals: Sequence[Seal]
    deviations: Sequence[Deviation]
    uri: str
    config: str
    is_new: bool = False
    raters: Sequence[str] = ()

    @property
    def words(self) -> list[str]:
        """A sentence for each seal, and one about what has changed since the last one."""
        found = [_words(seal) for seal in self.seals[:1]]
        for before, seal in pairwise(self.seals):
            changes = "; ".join(one.words for one in deviations(before.plan, seal.plan))
            found.append(f"{_words(seal)} It changes the seal before: {changes or 'nothing'}.")
        raters = [f"Raters since the seal: {', '.join(self.raters)}."] if self.raters else []
        if not self.deviations:
            return [*found, "No deviation from the seal.", *raters]
        listed = "; ".join(one.words for one in self.deviations)
        count = counted(len(self.deviations), "deviation")
        return [*found, f"{count} from the seal: {listed}.", *raters]


def plan_of(study: Study, items: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What is sealed: the config without how calls are made, and hashes of all that it names."""
    config = redacted(study.config.as_yaml_dict())
    said = {name: value for name, value in config.items() if name not in _NOT_PLANNED}
    solvers = {name: one for name, one in said["solvers"].items() if name not in _HOW_TO_CALL}
    task = study.snapshot.task
    return {
        **said,
        "solvers": solvers,
        "models": study.models,
        "prompts": _hashes(templates_of(one.prompt for one in study.design.generate)),
        "rubrics": _hashes(templates_of(study.design.rubrics)),
        "scorer_files": {name: one.hash for name, one in study.snapshot.scorers.items()},
        "data": datasets_of(study, items),
        "task": redacted(task.to_document()) if task else None,
    }


def seal_of(plan: Mapping[str, Any], sealed_at: str, calls: int, usd: float | None) -> Seal:
    """The seal of a plan. `sealed_at`: ISO-8601, UTC."""
    content = {"sealed_at": sealed_at, "calls": calls, "usd": usd, "plan": plan}
    return Seal(_digest(content), **content)


def deviations(sealed: Mapping[str, Any], now: Mapping[str, Any]) -> list[Deviation]:
    """Each place that differs, by its path. What is null or left out is nothing."""
    before, after = dict(_places(sealed)), dict(_places(now))
    paths = dict.fromkeys([*before, *after])
    return [
        Deviation(path, before.get(path, _ABSENT), after.get(path, _ABSENT))
        for path in paths
        if before.get(path, _ABSENT) != after.get(path, _ABSENT)
    ]


def _places(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, value) of each place that holds a value, as the YAML would be written."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _places(one, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value):
            yield from _places(one, f"{path}[{number}]")
    elif value is not None and value != []:
        yield path, canonical_json(value)


def _digest(content: Mapping[str, Any]) -> str:
    sealed = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(canonical_json(sealed).encode()).hexdigest()


def _hashes(templates: list[dict[str, str]]) -> dict[str, str]:
    return {template["name"]: template["sha256"] for template in templates}


def _words(seal: Seal) -> str:
    broken = "" if seal.is_intact else " IT WAS EDITED SINCE: its hash is not that of its content."
    return f"Sealed {seal.sealed_at}, {seal.when}, sha256 {seal.sha256}.{broken}"
