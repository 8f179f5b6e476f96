"""The seam of grader kinds: what a grader says of itself.

The rest of the package asks, and tests for no kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field

from itemeval_assets.core.prompts.long_solutions import shown
from itemeval_assets.core.prompts.prompts import Item, Prompt
from itemeval_assets.core.prompts.templates import Template
from itemeval_assets.core.tasks.lock import ScoreName
from itemeval_assets.core.text.labels import Part
from itemeval_assets.core.text.scales import read_scale
from itemeval_assets.core.text.yaml.sections import Section

from .code import Code, Program, Source
from .grading_prompt import GradingPrompt
from .verdict import Verdict

SCORER_SCALE = (0.0, 1.0)
# The lowest and the highest score. It enters no id: it says how scores are read.
ScoreScale = Annotated[tuple[float, float] | None, BeforeValidator(read_scale)]


@dataclass(frozen=True, kw_only=True)
class ModelCall:
    """What a grader asks of a model, once for each solution, and what it makes of the reply.

    `where` is the YAML path that names the model; `settings` bear the names of inspect's
    `GenerateConfig`. Prompts hold the solution as it is, however often: so sizes add up.
    `mock_reply`: what a mock model replies, by how good it finds the solution, from 0 to 1.
    `verdict_of` never raises, whatever a reply holds. `max_solution_chars`: of a longer solution
    `prompt_for` is given what `long_solutions.shown` makes of it.
    """

    model: str
    where: str
    settings: Mapping[str, Any]
    prompt_for: Callable[[Item, str | None], Prompt] = field(compare=False)
    verdict_of: Callable[[str | None], Verdict] = field(compare=False)
    mock_reply: Callable[[float], str] = field(compare=False)
    reply_schema: Mapping[str, Any] | None = None
    provider_routing: dict[str, Any] | None = None
    max_solution_chars: int | None = None

    def shown(self, solution: str | None) -> str | None:
        """A solution as the model is shown it."""
        return shown(solution, self.max_solution_chars)


@dataclass(frozen=True, kw_only=True)
class InReply:
    """One of the criteria of a rubric: its score is in the reply to `total`, which alone is called.

    `verdict_of` never raises, whatever a reply holds.
    """

    name: str
    total: "Grader"
    verdict_of: Callable[[str | None], Verdict] = field(compare=False)


class Targets(NamedTuple):
    """The targets that a scorer can compare an answer with. `word` says what they are: `a number`.

    With another target it gives no score, whatever the answer is. None of them is a list or an
    object: a scorer compares with one answer.
    """

    word: str
    takes: Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Grader:
    """What grades the solutions of one grade condition.

    `kind` is the `grade_kind` of its rows, `name` what users call it, `template` the rubric that
    it fills in. Its condition id is made of `slug_parts` and of `payload`, which tells it from
    other graders. `columns` are the same in all its rows, under names of the table gradings: those
    that it leaves out are null.

    `scale` has the lowest and the highest score where they are declared. A score outside is kept.

    `repeat`: which of the times that it grades the same answers, from 1. Each is a condition of
    its own, and the first one has the id of a grader that grades once.

    It makes a `call` for each solution; or it has `rules`, which grade at once and free, and never
    raise; or a `program`, code of others, which grades free in a process of its own; or its score
    is `in_log`, the log of the solution, where a task of inspect_ai scores itself; or it is a
    `criterion`, whose score stands in the reply to another grader; or it is `by_people`, whose
    ratings come in by sheets, and no run makes any.

    `targets`: those of items that it can grade; null: it looks at none, or nobody knows.

    `after`: the scorer that looks at each answer first; only what it does not settle is called.

    `item_rubric`: the id of the condition that writes the rubric of each item, which `template` is
    filled in with; null: `template` is all of the rubric.
    """

    kind: str
    name: str
    slug_parts: list[str]
    payload: Mapping[str, Any]
    columns: Mapping[str, str]
    label_parts: tuple[Part, ...]
    template: Template | None = None
    scale: tuple[float, float] | None = None
    repeat: int = 1
    call: ModelCall | None = None
    rules: Callable[[Item, str | None], Verdict] | None = field(default=None, compare=False)
    program: Program | None = None
    in_log: ScoreName | None = None
    by_people: bool = False
    criterion: InReply | None = None
    targets: Targets | None = field(default=None, compare=False)
    after: "Grader | None" = None
    item_rubric: str | None = None

    @property
    def versions(self) -> tuple[str | None, ...]:
        """What its gradings may have as `scorer_version`: others are stale. Null: of no scorer."""
        own = self.columns.get("scorer_version")
        return (own, *self.after.versions) if self.after else (own,)

    @property
    def asked(self) -> ModelCall | None:
        """The call whose reply it reads: its own, or that of all criteria of the rubric."""
        return self.criterion.total.call if self.criterion else self.call

    def following(self, scorer: "Grader") -> "Grader":
        """The same grader after a scorer, which makes it another condition.

        So do the highest scores of both: they say what is settled, and what it gets.
        """
        assert scorer.scale and self.scale
        best = {"best": scorer.scale[1], "gives": self.scale[1]}
        return replace(
            self,
            after=scorer,
            payload={**self.payload, "after": {**scorer.payload, **best}},
            columns={**self.columns, "scorer_name": scorer.name},
        )

    def grading_by(self, item_rubric: str, written: Mapping[str, Any]) -> "Grader":
        """The same grader by rubrics that a condition writes: `written` says how, in its id."""
        found = replace(
            self, item_rubric=item_rubric, payload={**self.payload, "item_rubric": written}
        )
        if self.criterion is None:
            return found
        total = self.criterion.total.grading_by(item_rubric, written)
        return replace(found, criterion=replace(self.criterion, total=total))

    def settled(self, verdict: Verdict) -> Verdict | None:
        """What it says of an answer that the scorer before it finds wholly right; null: ask it.

        The highest score of the one is that of the other.
        """
        assert self.after and self.after.scale and self.scale
        return (
            replace(verdict, score=self.scale[1]) if verdict.score == self.after.scale[1] else None
        )


class GraderConfig(Section, ABC):
    """An entry of `graders:`, of whichever kind."""

    @abstractmethod
    def graders(self, name: str, rubrics: Sequence[Template]) -> list[Grader]:
        """What an entry of this name stands for: a grader for each grade condition."""

    @property
    def own_prompt(self) -> GradingPrompt | None:
        """What it asks with in the place of the rubrics that the facet names."""
        return None

    @property
    def models(self) -> Mapping[str, str]:
        """The models that it names, by its own keys."""
        return {}

    @property
    def first_scorer(self) -> str | None:
        """The scorer that it grades after, as a facet names one."""
        return None

    @property
    def by_people(self) -> bool:
        """Whether it stands for a person."""
        return False


class ScorerConfig(Section, ABC):
    """An entry of `scorers:`, of whichever type."""

    type: Any
    scale: ScoreScale = Field(
        default=None,
        description="the lowest and the highest score; null: [0, 1]",
        examples=[[0, 10]],
    )

    @abstractmethod
    def scorer(self, name: str, source: Source | None) -> Grader:
        """The grader that an entry of this name stands for. `source`: what was read of `code`."""

    @property
    def code(self) -> Code | None:
        """The code of others that it names."""
        return None

    @property
    def definition(self) -> dict[str, Any]:
        """What tells it from others of its type: keys that are marked as identity and are set."""
        fields = type(self).model_fields
        chosen = {
            name
            for name, field in fields.items()
            if isinstance(field.json_schema_extra, dict) and "identity" in field.json_schema_extra
        }
        return self.model_dump(mode="json", by_alias=True, include=chosen, exclude_defaults=True)

    def _grader(
        self, name: str, version: str, definition: Mapping[str, Any], **grades: Any
    ) -> Grader:
        return Grader(
            kind="verifiable",
            name=name,
            slug_parts=["scorer", name],
            payload={"scorer": name, "definition": {"type": self.type, **definition}},
            columns={"scorer_name": name, "scorer_version": version},
            label_parts=(Part(name, name),),
            scale=self.scale or SCORER_SCALE,
            **grades,
        )
