"""What types of own scorers share: those by rules of ours, and those by code of others."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from pydantic import Field

from itemeval_assets.core.grading.code import Program, Source
from itemeval_assets.core.grading.grader import Grader, ScorerConfig, Targets
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.prompts.prompts import Item


class RulesConfig(ScorerConfig):
    """A scorer by rules of ours, which its keys choose."""

    def scorer(self, name: str, source: Source | None) -> Grader:
        compare = self.rules()

        def rules(item: Item, solution: str | None) -> Verdict:
            return compare(solution or "", item["target"] or "")

        return self._grader(name, self.version, self.definition, rules=rules, targets=self.targets)

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the rules, and of those that it compares by."""

    @property
    @abstractmethod
    def targets(self) -> Targets:
        """The targets that its rules can compare an answer with."""

    @abstractmethod
    def rules(self) -> Callable[[str, str], Verdict]:
        """What makes a verdict of a solution and a target; a null one is a blank one."""


class CodeConfig(ScorerConfig):
    """A scorer by code of others, with its limits, which enter no id."""

    timeout_s: float = Field(
        default=10.0,
        gt=0.0,
        le=86_400.0,
        allow_inf_nan=False,
        description="seconds that one answer may take",
    )
    memory_mb: int = Field(
        default=2048,
        ge=16,
        le=1_048_576,
        description="megabytes that its process may allocate, on Linux",
    )

    def scorer(self, name: str, source: Source | None) -> Grader:
        assert self.code is not None and source is not None
        program = Program(f"scorers.{name}", self.code, source, self.timeout_s, self.memory_mb)
        return self._grader(
            name,
            self._version(source),
            self._identity(source),
            program=program,
            targets=self.targets,
        )

    @property
    def targets(self) -> Targets | None:
        """The targets that its code can compare an answer with; null: nobody knows."""
        return None

    @abstractmethod
    def _version(self, source: Source) -> str:
        """What its rows have as `scorer_version`: gradings of another one are repeated."""

    @abstractmethod
    def _identity(self, source: Source) -> dict[str, Any]:
        """What tells it from others of its name and type."""
