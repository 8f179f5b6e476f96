"""One inspect Task per partition: the planned cells, and how they are asked.

What a judge is shown holds the item, the solution and the rubric, and nothing that tells
which model answered.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalSample, EvalSpec
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentImage,
    ContentText,
    GenerateConfig,
    Model,
    ResponseSchema,
    get_model,
)
from inspect_ai.scorer import SampleScore
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import EarlyStop, JSONSchema, concurrency, cost_limit

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.conditions.conditions import GenerateCondition
from itemeval_assets.core.design.conditions.rubrics import RubricCondition
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.grading.grader import ModelCall
from itemeval_assets.core.money.projection.prefixes import leaders_first
from itemeval_assets.core.money.providers import provider_of
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.core.prompts.turns import Turn
from itemeval_assets.core.records.batches import Call, NewLine
from itemeval_assets.engine.models.response_cache import cache_policy

from .in_flight.allowance import Allowance
from .in_flight.calls import current_calls
from .in_flight.turns import Turns
from .reroutes import SERVED_PROVIDER, Rerouting, asked_elsewhere, served_provider

_MESSAGES = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}
# In a sample's metadata: what its call may cost at most.
MOST_USD = "most_usd"


class Target(NamedTuple):
    """What a partition calls: a model, its settings, and the name of its Task.

    `scopes`: what keeps its answers apart from others to the same question, such as its wave.
    `rerouting`: how a reply that is no answer is asked for again.
    """

    name: str
    model: Model
    config: GenerateConfig
    scopes: Mapping[str, str] = MappingProxyType({})
    rerouting: Rerouting | None = None


@dataclass(frozen=True)
class CallSettings:
    """How the cells of a partition are called, beside their condition.

    `cached` cells were found in the response cache and may cost nothing; `fresh` ones must not
    be answered by it; `prefixes` names what a cell's prompt shares with others; `most_usd` is
    the ceiling of each cell that is paid for. `partition`: whose cells they are, where their
    batches are kept.
    """

    use_cache: bool
    fresh: set[Cell]
    allowance: Allowance
    turns: Turns
    cached: set[Cell] = field(default_factory=set)
    prefixes: Mapping[Cell, str] = field(default_factory=dict)
    most_usd: Mapping[Cell, float] = field(default_factory=dict)
    connections: int | None = None
    partition: Partition | None = None

    def line(self, model: str, cell: Cell, shown: Sequence[ChatMessage]) -> NewLine | None:
        """What a call is in a batch; null where no batch of it is kept."""
        if self.partition is None:
            return None
        call = Call(self.partition, cell, digest_of(shown))
        return NewLine(model, call, self.most_usd.get(cell, 0.0))


def generate_config(
    condition: GenerateCondition | RubricCondition, request: Mapping[str, Any]
) -> GenerateConfig:
    """The settings of a condition that writes texts; `request` holds what is no part of it."""
    return GenerateConfig(**condition.params, **request)


def grading_config(call: ModelCall, request: Mapping[str, Any]) -> GenerateConfig:
    """The settings of a grader's call, and the schema of the reply if it has one."""
    schema = None
    if call.reply_schema is not None:
        of_reply = JSONSchema.model_validate(call.reply_schema)
        schema = ResponseSchema(name="verdict", json_schema=of_reply, strict=True)
    return GenerateConfig(**call.settings, response_schema=schema, **request)


def tiny_config(most_output_tokens: int) -> GenerateConfig:
    """The settings of a call that only asks whether a model answers: soon, or not at all."""
    return GenerateConfig(
        max_tokens=most_output_tokens, max_retries=1, attempt_timeout=30, max_connections=1
    )


def build_task(
    target: Target,
    dataset: str,
    samples: Mapping[Cell, tuple[Sample, int]],
    settings: CallSettings,
    metadata: dict[str, Any],
) -> Task:
    """A Task that calls each cell once. `samples`: (sample, inspect's epoch) by cell.

    Cells may share a sample and differ in its epoch; epochs outside the plan are not scheduled.
    """
    for cell, usd in settings.most_usd.items():
        sample = samples[cell][0]
        sample.metadata = {**(sample.metadata or {}), MOST_USD: usd}
    ordered = leaders_first(samples, settings.prefixes)
    distinct = {samples[cell][0].id: samples[cell][0] for cell in ordered}
    return Task(
        name=target.name,
        dataset=MemoryDataset(list(distinct.values()), name=dataset),
        solver=ask(settings, target.scopes, target.rerouting),
        epochs=max(epoch for _, epoch in samples.values()),
        early_stopping=AllowedCellsOnly(
            {(str(sample.id), epoch): cell for cell, (sample, epoch) in samples.items()}, settings
        ),
        model=target.model,
        config=target.config,
        metadata=metadata,
    )


@solver
def ask(
    settings: CallSettings, scopes: Mapping[str, str], rerouting: Rerouting | None = None
) -> Solver:
    """One call per sample, from the response cache where there is one, except for fresh cells.

    A reply that is no answer is asked for again where that is wanted.
    The model is called here, because inspect's `generate` goes on asking while a reply calls
    tools, and fails on a reply without choices; here both are answers, if blank ones. A cell
    that the budget took for cached has a cost limit of zero: inspect then refuses to send it.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        cell, model = cell_of(state), get_model()
        is_cached = settings.use_cache and cell not in settings.fresh
        policy = cache_policy(cell, scopes) if is_cached else False
        limit = settings.connections
        slot = concurrency(f"calls:{provider_of(str(model))}", limit) if limit else nullcontext()
        calls = current_calls()
        assert calls is not None
        why_not, notes = settings.allowance.why_not, state.metadata
        line = settings.line(str(model), cell, state.messages)
        with settings.allowance.counting(), calls.call(state.uuid, why_not, notes, line):
            async with settings.turns.turn(settings.prefixes.get(cell)), slot:
                with cost_limit(0.0 if cell in settings.cached else None):
                    state.output = await model.generate(state.messages, cache=policy)
                if rerouting and cell in settings.most_usd:
                    state.output = await asked_elsewhere(
                        state.output, rerouting, state.messages, state.metadata
                    )
        if provider := served_provider():
            state.metadata[SERVED_PROVIDER] = provider
        if cell in settings.most_usd:
            settings.allowance.settle(settings.most_usd[cell], str(model), state.output.usage)
        state.messages.extend(choice.message for choice in state.output.choices)
        return state

    return solve


def cell_of(sample: TaskState | EvalSample) -> Cell:
    """The cell of a sample, running or logged."""
    metadata = sample.metadata or {}
    id = sample.sample_id if isinstance(sample, TaskState) else sample.id
    return Cell(str(metadata.get("item_id", id)), int(metadata.get("epoch", sample.epoch)))


def make_sample(
    id: str,
    prompt: Prompt,
    target: str,
    metadata: dict[str, Any],
    images: Sequence[str] = (),
) -> Sample:
    """An inspect Sample that shows the model this prompt, and these images (data URIs)."""
    return Sample(input=_messages(prompt.turns, images), target=target, id=id, metadata=metadata)


def digest_of(shown: str | Sequence[ChatMessage]) -> str:
    """A hash of what a model is shown. What else tells calls apart is in their conditions."""
    said = [["user", shown]] if isinstance(shown, str) else [[m.role, _said(m)] for m in shown]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _said(message: ChatMessage) -> str | list[Any]:
    if isinstance(message.content, str):
        return message.content
    return [getattr(part, "text", None) or getattr(part, "image", None) for part in message.content]


def shows_images(task: Task) -> bool:
    """Whether a request of a Task holds an image."""
    inputs = (sample.input for sample in task.dataset if not isinstance(sample.input, str))
    return any(isinstance(message.content, list) for input in inputs for message in input)


def _messages(turns: Sequence[Turn], images: Sequence[str]) -> str | list[ChatMessage]:
    """Turns as inspect takes them: one of the user as its text. Images precede the last text."""
    if [turn.role for turn in turns] == ["user"] and not images:
        return turns[0].text
    found: list[ChatMessage] = [_MESSAGES[turn.role](content=turn.text) for turn in turns]
    if images:
        pictures = [ContentImage(image=image) for image in images]
        found[-1] = ChatMessageUser(content=[*pictures, ContentText(text=turns[-1].text)])
    return found


class AllowedCellsOnly:
    """Schedules the cells of a plan, while the money that the gate allowed lasts.

    `cells` by the id and the epoch of their samples.
    """

    def __init__(self, cells: Mapping[tuple[str, int], Cell], settings: CallSettings) -> None:
        self._cells = cells
        self._settings = settings
        self._allowed: set[Cell] = set()

    async def start_task(self, task: EvalSpec, samples: list[Sample], epochs: int) -> str:
        if calls := current_calls():
            calls.begin()
        return "planned and allowed cells only"

    async def schedule_sample(self, id: str | int, epoch: int) -> EarlyStop | None:
        cell, settings = self._cells.get((str(id), epoch)), self._settings
        if cell is None:
            return EarlyStop(id=id, epoch=epoch, reason="not planned")
        # A sample that is tried again after an error comes here again.
        if cell not in self._allowed:
            if (calls := current_calls()) and calls.is_stopping:
                return EarlyStop(id=id, epoch=epoch, reason="the run was stopped")
            if calls and calls.are_hopeless:
                return EarlyStop(id=id, epoch=epoch, reason="its error would be that of another")
            if not settings.allowance.take(settings.most_usd.get(cell, 0.0)):
                return EarlyStop(id=id, epoch=epoch, reason="held back: the allowance is used up")
            self._allowed.add(cell)
        return None

    async def complete_sample(
        self, id: str | int, epoch: int, scores: dict[str, SampleScore]
    ) -> None:
        return None

    async def complete_task(self) -> dict[str, Any]:
        return {}
