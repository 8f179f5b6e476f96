"""The states of the cells of a study by a policy, read from the tables partition by partition."""

import numpy as np
import pyarrow as pa

from itemeval_assets.core.design.cells.anchors import Anchors
from itemeval_assets.core.design.cells.cell_table import Answers, answers_of
from itemeval_assets.core.design.cells.item_rubrics import RUBRIC_STATE_COLUMNS
from itemeval_assets.core.design.cells.pending import GRADING_STATE_COLUMNS, SOLUTION_STATE_COLUMNS
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.design.tranches import tranche_of
from itemeval_assets.core.records.served import SERVED_COLUMNS
from itemeval_assets.stages import items
from itemeval_assets.stages.calls.stage_run import grid_of
from itemeval_assets.storage.study.store import ResultsStore

from .rubrics import stored_rubrics


class StudyStates:
    """The cells that a policy covers. `anchors`: which of them a partition has."""

    def __init__(self, study: Study, store: ResultsStore, policy: str | None) -> None:
        self.study, self.store = study, store
        self.extent = run_plan(study.config, policy)
        known = items.known(study, store)
        self.items, self.sample = known.table, known.sample
        self.grid = grid_of(self.items, self.extent)
        self.tranche = tranche_of(study, self.extent)
        ids = self.items["item_id"].to_pylist()
        limits = self.extent.replications, self.extent.items_limit
        self._written = stored_rubrics(study, store)
        self.anchors = Anchors(study.design, ids, *limits, self.tranche)

    def solutions(self, partition: Partition) -> pa.Table:
        columns = [*SOLUTION_STATE_COLUMNS, "sample_uuid", "stop_reason", "usd"]
        columns += SERVED_COLUMNS
        return self.store.read("solutions", [partition], columns)

    def answers(self, solutions: pa.Table) -> Answers:
        """The solutions of a generate condition, all of whose cells are planned."""
        planned = np.ones(len(self.grid), bool)
        config = self.study.config
        is_task = config.benchmark.ref is not None
        on_empty = config.solvers.on_empty
        return answers_of(self.grid, planned, solutions, on_empty, is_task, self._written)

    def rubrics(self, partition: Partition) -> pa.Table:
        columns = [*RUBRIC_STATE_COLUMNS, "stop_reason", "usd", "edited"]
        return self.store.read("item_rubrics", [partition], columns)

    def gradings(self, partition: Partition) -> pa.Table:
        columns = [*GRADING_STATE_COLUMNS, "parse_error", "usd", *SERVED_COLUMNS]
        return self.store.read("gradings", [partition], columns)
