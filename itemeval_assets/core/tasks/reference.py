"""How the YAML names a task of inspect_ai."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from itemeval_assets.core.prompts.templates import Template


@dataclass(frozen=True)
class TaskRef:
    """A task as it is written: `<package>/<name>`, `<file>.py` or `<file>.py@<name>`."""

    word: str
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str | None:
        """The path of its file, relative to the YAML; null for a task of a package."""
        place = self.word.rpartition("@")[0] or self.word
        return place if place.endswith(".py") else None

    @property
    def name(self) -> str | None:
        """Its name as it is registered; null where a file has one task, which nobody names."""
        if self.file is None:
            return self.word
        return self.word.rpartition("@")[2] if self.word != self.file else None

    @property
    def short(self) -> str:
        """What people read of it."""
        if self.file is None:
            return self.word.rpartition("/")[2]
        return self.name or self.word.rpartition("/")[2].removesuffix(".py")

    @property
    def payload(self) -> dict[str, Any]:
        """What of it enters ids: no version, and no folder of this machine."""
        return {"name": self.word, "args": dict(self.args)}

    def as_template(self, path: str) -> Template:
        """What stands in the place of a prompt: the task has its own ones, which nobody sees here.

        `path`: where its file lies; empty for a task of a package.
        """
        text = json.dumps(self.payload, sort_keys=True, ensure_ascii=False)
        return Template(self.word, path, text, hashlib.sha256(text.encode()).hexdigest())
