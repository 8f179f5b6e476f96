"""What paid stages share: their scope, a run, its outcome, and what a stage must tell."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from itemeval_assets.core.design.cells.anchors import Anchors
from itemeval_assets.core.design.cells.pending import Cell, Grid, Pending, States
from itemeval_assets.core.design.options import PlanOptions, RunOptions
from itemeval_assets.core.design.partitions import Partition, Stage
from itemeval_assets.core.design.study import RunPlan, Study, run_plan
from itemeval_assets.core.design.tranches import tranche_of
from itemeval_assets.core.money.native import native_routes
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.money.projection.estimate import SampleCalls
from itemeval_assets.core.money.providers import has_batch_mode
from itemeval_assets.core.prompts.chats import IS_CHAT
from itemeval_assets.core.prompts.prompts import Prompt
from itemeval_assets.engine.calls.progress import Listener
from itemeval_assets.storage.study.images import StudyImages
from itemeval_assets.storage.study.store import ResultsStore

from .batches import Waiting, waiting_cells

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model

    from itemeval_assets.engine.calls.models import RunModels
    from itemeval_assets.engine.calls.tasks import CallSettings, Target

    from .gate import Gate
    from .making import PlannedCalls


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What of a study is looked at: by a run that calls models, or an estimate that does not."""

    study: Study
    store: ResultsStore
    prices: PriceBook
    items: pa.Table
    options: PlanOptions = field(default_factory=PlanOptions)
    # The items of partitions whose rows a run would withdraw first.
    outdated: Mapping[Partition, Collection[str]] = field(default_factory=dict)

    def stored(self, partition: Partition, columns: list[str]) -> pa.Table:
        """The stored rows of a partition, without the outdated ones. `columns` has item_id."""
        rows = self.store.read(partition.stage.table, [partition], columns)
        ids = pa.array(list(self.outdated.get(partition, ())), pa.string())
        is_outdated = pc.is_in(rows["item_id"], value_set=ids)  # type: ignore[attr-defined]
        return rows.filter(pc.invert(is_outdated)) if len(ids) else rows  # type: ignore[attr-defined]

    @cached_property
    def items_by_id(self) -> dict[str, dict[str, Any]]:
        """The rows of the items, for all callers, and whether they are chats."""
        benchmark = self.study.config.benchmark
        is_chat = bool(benchmark.mapping.chat or benchmark.ref)
        return {row["item_id"]: {**row, IS_CHAT: is_chat} for row in self.items.to_pylist()}

    @cached_property
    def models(self) -> "RunModels":
        """Its models, each resolved once for all callers."""
        from itemeval_assets.engine.calls.models import RunModels  # noqa: PLC0415 (loads inspect_ai)

        return RunModels()

    @cached_property
    def waiting(self) -> Waiting:
        """The cells that a batch has the answers of, as it is when this is first asked for."""
        return waiting_cells(self.store)

    @cached_property
    def images(self) -> StudyImages:
        """The images of the items, each read once for all callers."""
        return StudyImages(self.store.backend)

    @cached_property
    def grid(self) -> Grid:
        """The cells of every partition in scope."""
        return grid_of(self.items, self.extent)

    @cached_property
    def anchors(self) -> Anchors:
        """Which of these cells each partition has."""
        extent, ids = self.extent, self.items["item_id"].to_pylist()
        tranche = tranche_of(self.study, extent)
        return Anchors(self.study.design, ids, extent.replications, extent.items_limit, tranche)

    @property
    def extent(self) -> RunPlan:
        return run_plan(self.study.config, self.options.policy)

    @cached_property
    def routes(self) -> dict[str, str]:
        """Models that are called under the id of their own provider, which has a batch API."""
        is_wanted = self.study.config.budget.prefer_native_batch and self.extent.batch
        return native_routes(self.study.called_models, self.prices) if is_wanted else {}

    @cached_property
    def book(self) -> PriceBook:
        """The prices of the models as they are called."""
        return self.prices.priced_as(self.routes)

    def called_as(self, model: str) -> str:
        """The id that a model is called under."""
        return self.routes.get(model, model)

    def resolve(self, model: str, where: str, **settings: Any) -> "Model":
        """The inspect model that a model is called as. Raises ModelError."""
        called = self.called_as(model)
        if called == model:
            return self.models.resolve(model, where, **settings)
        return self.models.resolve(called, f"budget.prefer_native_batch: {model}")

    def batch(self, model: str) -> bool | int | None:
        """The batch mode that a model is called in: none where its provider has none."""
        return self.extent.batch if has_batch_mode(self.called_as(model)) else None

    def usd(self, model: str, tokens: Mapping[str, int | None]) -> float | None:
        """What these tokens of a model cost in its batch mode; None without a price."""
        return self.book.usd(model, tokens, bool(self.batch(model)))


@dataclass(frozen=True, kw_only=True)
class StageRun(Scope):
    """One run of a paid stage: its gate, and who is told of its progress."""

    run_id: str
    options: RunOptions = field(default_factory=RunOptions)
    gate: "Gate"
    listener: Listener
    say: Callable[[str], None]


class Caller(Protocol):
    """One paid stage of one study: what its cells, prompts, calls and rows are."""

    stage: Stage
    state_columns: list[str]

    def states(self, partition: Partition, stored: pa.Table) -> States:
        """The state of every cell in scope. Reads `state_columns` of the stored rows."""
        ...

    def unsettled(self, partition: Partition, pending: Pending) -> Pending:
        """The pending cells that need a call."""
        ...

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        """What the model is shown for each cell."""
        ...

    def model(self, partition: Partition) -> str:
        """The inspect id of the model that the partition calls."""
        ...

    def output_limit(self, partition: Partition) -> tuple[int, bool]:
        """The output tokens a call is taken to use at most, and whether the study limits them."""
        ...

    def calls_per_cell(self, partition: Partition) -> SampleCalls:
        """How many calls a cell takes at most, and how many tokens."""
        ...

    def build(
        self,
        partition: Partition,
        calls: "PlannedCalls",
        settings: "CallSettings",
        metadata: dict[str, Any],
    ) -> "Task":
        """The task of inspect_ai that makes the planned calls of a partition."""
        ...

    def target(self, partition: Partition) -> "Target":
        """The model and its settings, ready to be called. Raises ModelError."""
        ...

    def can_make_samples(self) -> bool:
        """Whether all that requests hold is stored: before the first run images are not."""
        ...

    def samples(self, prompts: Mapping[Cell, Prompt]) -> "dict[Cell, tuple[Sample, int]]":
        """An inspect Sample for each cell, and the epoch of it that the cell is."""
        ...

    def evidence(self, partition: Partition, cells: list[Cell]) -> dict[str, Any]:
        """What the log must say for its rows to be made from it alone."""
        ...

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        """Table rows for every sample of a log."""
        ...


def grid_of(items: pa.Table, extent: RunPlan) -> Grid:
    """The cells of every partition that a run covers."""
    return Grid(items["item_id"].slice(0, extent.items_limit).to_pylist(), extent.replications)
