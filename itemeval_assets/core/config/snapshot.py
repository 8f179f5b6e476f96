"""A snapshot: the texts that a study was read from. Every process of a run works on the same.

Files that are edited while a run starts, or while it waits in a queue, change nothing of it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from itemeval_assets.core.grading.code import Source
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.tasks.lock import TaskLock

from .roster import Roster


@dataclass(frozen=True)
class PriceText:
    """The file of `budget.pricing_path`: its text, or why it could not be read."""

    path: str
    text: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """What was read, and from where. `config`: the text of the YAML, as it stands in the file.

    `location`: the study directory. `prompts` and `rubrics` by the names that the YAML has.
    `scorers`: what was read of code of others, by its names there. `packaged`: those of their types
    that installed packages offer.
    `task`: what `task_lock.json` says of the task.
    `roster`: what the models of the study are drawn from.
    `tranche`: how many items of the sample the runs of a study with `precision` have come to.
    `replaced`: keys that hold in the place of those of the YAML, by their sections.
    """

    config_path: str
    location: str
    config: str
    prompts: Mapping[str, Template] = field(default_factory=dict)
    rubrics: Mapping[str, Template] = field(default_factory=dict)
    prices: PriceText | None = None
    replaced: Mapping[str, Any] = field(default_factory=dict)
    scorers: Mapping[str, Source] = field(default_factory=dict)
    packaged: Sequence[str] = field(default_factory=list)
    task: TaskLock | None = None
    roster: Roster | None = None
    tranche: int | None = None

    @property
    def config_sha256(self) -> str:
        return hashlib.sha256(self.config.encode()).hexdigest()

    def to_json(self) -> str:
        """The snapshot as one line, for another process."""
        task = self.task.to_document() if self.task else None
        return json.dumps({**asdict(self), "task": task})

    @classmethod
    def from_json(cls, text: str) -> "Snapshot":
        """What `to_json` gave."""
        found: dict[str, Any] = json.loads(text)
        for kind in ("prompts", "rubrics"):
            found[kind] = {name: Template(**template) for name, template in found[kind].items()}
        found["scorers"] = {name: Source(**one) for name, one in found["scorers"].items()}
        found["prices"] = PriceText(**found["prices"]) if found["prices"] else None
        found["task"] = TaskLock.from_document(found["task"]) if found["task"] else None
        roster = found.get("roster")
        found["roster"] = Roster.from_record(roster) if roster else None
        return cls(**found)
