"""What the two paid stages share: a run, its outcome, and what a stage has to say of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from itemeval_assets.core.estimate import NOTHING, Projection
from itemeval_assets.core.pending import Cell, Plan, State
from itemeval_assets.core.pricing import PriceBook
from itemeval_assets.core.prompts import Prompt
from itemeval_assets.core.study import Partition, RunPlan, Study, run_plan
from itemeval_assets.engine.progress import Listener
from itemeval_assets.storage.store import ResultsStore

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

__all__ = ["Caller", "Outcome", "StageRun", "limited_items"]


@dataclass(frozen=True)
class StageRun:
    """One run of a paid stage: its study, what was asked of it, and who is told of progress.

    `consent_usd`: see `core.estimate.require_budget`.
    """

    study: Study
    store: ResultsStore
    prices: PriceBook
    items: pa.Table
    run_id: str
    listener: Listener
    say: Callable[[str], None]
    force: bool = False
    policy: str | None = None
    consent_usd: float | None = None

    @property
    def extent(self) -> RunPlan:
        return run_plan(self.study.config, self.policy)


@dataclass
class Outcome:
    """What a stage produced: rows for its table, index rows by partition, and counts."""

    rows: pa.Table
    log_index: dict[Partition, pa.Table] = field(default_factory=dict)
    pending: dict[Partition, int] = field(default_factory=dict)
    recovered: dict[Partition, int] = field(default_factory=dict)
    lost: dict[Partition, list[dict[str, Any]]] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    projection: Projection = NOTHING
    unpriced: set[str] = field(default_factory=set)


class Caller(Protocol):
    """One paid stage of one study."""

    table: str

    def states(self, partition: Partition, stored: pa.Table) -> dict[Cell, State]:
        """The state of every cell of the partition that this run covers."""
        ...

    def prompts(self, partition: Partition, cells: list[Cell]) -> dict[Cell, Prompt]:
        """What the model is shown for each cell."""
        ...

    def model(self, partition: Partition) -> str: ...

    def max_tokens(self, partition: Partition) -> int | None: ...

    def task(
        self,
        partition: Partition,
        plan: Plan,
        prompts: Mapping[Cell, Prompt],
        request: dict[str, Any],
        metadata: dict[str, Any],
    ) -> "Task":
        """The inspect Task that makes the planned calls. Raises ModelError."""
        ...

    def rows(
        self, partition: Partition, log: "EvalLog", log_file: str, run_id: str
    ) -> list[dict[str, Any]]:
        """Table rows for every sample of a log."""
        ...


def limited_items(items: pa.Table, extent: RunPlan) -> list[dict[str, Any]]:
    """The items a run covers, as rows."""
    return items.slice(0, extent.items_limit).to_pylist()
