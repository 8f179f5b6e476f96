"""What both paid stages do: recover, plan, ask the budget, call, and turn logs into rows.

A stage says what its cells, prompts, tasks and rows are (`Caller`); this module says in
which order things happen, so that no cell is paid twice and no dollar is forgotten.
"""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.estimate import NOTHING, Projection, project, require_budget
from itemeval_assets.core.manifest import build_manifest, redacted
from itemeval_assets.core.pending import Cell, Plan, State, plan_cells
from itemeval_assets.core.pricing import PriceBook
from itemeval_assets.core.prompts import Prompt
from itemeval_assets.core.study import Partition, RunPlan, Study, run_plan, stage_of
from itemeval_assets.core.tables import LOG_INDEX, TABLES, arrow_schema
from itemeval_assets.core.upsert import upsert
from itemeval_assets.engine.evaluate import evaluate, request_settings
from itemeval_assets.engine.logs import log_facts, read_log, read_log_header, served_models
from itemeval_assets.engine.progress import Listener, Progress, reporting
from itemeval_assets.storage import log_files
from itemeval_assets.storage.layout import manifest_key
from itemeval_assets.storage.store import ResultsStore, replaced_rows

from .items import now

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

__all__ = ["Caller", "Outcome", "StageRun", "limited_items", "make_calls"]

PACKAGES = ("inspect-ai", "pandas", "pyarrow", "pydantic", "pyyaml", "datasets", "dagster")


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


def make_calls(caller: Caller, run: StageRun, partitions: list[Partition]) -> Outcome:
    """Bring the partitions up to date. The caller of this function holds their claims.

    Nothing pending: no call. Raises BudgetExceeded, ConsentMissing or ModelError before
    the first call.
    """
    outcome = Outcome(arrow_schema(TABLES[caller.table]).empty_table())
    _recover(caller, run, partitions, outcome)
    for partition in partitions:
        _account_for_lost_rows(caller, run, partition)
    plans = _plans(caller, run, partitions, outcome)
    if not plans:
        run.say("nothing is pending: no call is made")
        return outcome
    prompts = {
        partition: caller.prompts(partition, plan.cells) for partition, plan in plans.items()
    }
    outcome.projection = _project(caller, prompts, run.prices)
    require_budget(
        outcome.projection,
        run.study.config.budget,
        spent_usd=_spent_usd(run.store),
        consent_usd=run.consent_usd,
    )
    tasks = _tasks(caller, run, plans, prompts)
    _begin_manifest(run, plans, outcome.projection)
    headers = _evaluate(run, tasks, stage_of(partitions[0]), outcome.projection.calls)
    finished = [_archive(run.store, Path(header.location), header) for header in headers]
    _collect(caller, run, finished, outcome)
    _finish_manifest(run, outcome)
    return outcome


def limited_items(items: pa.Table, extent: RunPlan) -> list[dict[str, Any]]:
    """The items a run covers, as rows."""
    return items.slice(0, extent.items_limit).to_pylist()


def _recover(caller: Caller, run: StageRun, partitions: list[Partition], outcome: Outcome) -> None:
    """Read back the logs of killed runs, and those whose table file is gone."""
    for path in log_files.running_logs(run.store.local_root):
        try:
            header = read_log_header(path)
        except StoreError:
            if path.exists():
                raise
            continue  # a live run of other partitions has just archived it
        if partition_of_log(header) in set(partitions):
            _archive(run.store, path, header)
    found = [
        (partition, key)
        for partition in partitions
        for key in _unread_logs(caller.table, run.store, partition)
    ]
    _collect(caller, run, found, outcome)
    for partition, index in outcome.log_index.items():
        outcome.recovered[partition] = sum(index["completed_samples"].to_pylist())
    if found:
        calls = sum(outcome.recovered.values())
        run.say(f"recovered {calls} finished calls from {len(found)} logs")


def _unread_logs(table: str, store: ResultsStore, partition: Partition) -> list[str]:
    """Archived logs that the index does not know; all of them when the table file is gone."""
    indexed = store.read("log_index", [partition], ["log_file"])["log_file"].to_pylist()
    rows_exist = Path(store.uri(table, partition)).exists()
    known = set(indexed) if rows_exist else set()
    return log_files.known_logs(store.local_root, partition, lambda key: key not in known)


def _account_for_lost_rows(caller: Caller, run: StageRun, partition: Partition) -> None:
    """Remember the cost of calls whose rows somebody deleted: their cells are called again."""
    store = run.store
    columns = ["log_file", "run_id", "total_samples"]
    index = store.read("log_index", [partition], columns).to_pylist()
    if not index or not Path(store.uri(caller.table, partition)).exists():
        return
    known = {
        row["sample_uuid"]: row["log_file"]
        for table in (caller.table, "replaced")
        for row in store.read(table, [partition], ["sample_uuid", "log_file"]).to_pylist()
    }
    stored = Counter(known.values())
    for log in index:
        key = log["log_file"]
        if stored[key] < log["total_samples"]:
            samples = read_log(store.local_root / key)
            rows = caller.rows(partition, samples, key, log["run_id"])
            lost = [row for row in rows if row["sample_uuid"] not in known]
            table = pa.Table.from_pylist(lost, schema=arrow_schema(TABLES[caller.table]))
            store.upsert("replaced", partition, replaced_rows(partition, table))
            run.say(f"{len(lost)} rows of {key} are gone from the table; their cost is kept")


def partition_of_log(log: "EvalLog") -> Partition:
    """The partition whose calls a log holds, from the metadata written into it."""
    facts = log.eval.metadata or {}
    ids = (facts.get("gen_condition_id"), facts.get("condition_id"))
    return tuple(id for id in ids if id)


def _plans(
    caller: Caller, run: StageRun, partitions: list[Partition], outcome: Outcome
) -> dict[Partition, Plan]:
    rerun_blank = caller.table == "solutions" and run.study.config.solvers.on_empty == "rerun"
    plans = {}
    for partition in partitions:
        stored = run.store.read(caller.table, [partition])
        if outcome.recovered.get(partition):
            stored = upsert(TABLES[caller.table], stored, outcome.rows).rows
        states = caller.states(partition, stored)
        plan = plan_cells(states, rerun_blank=rerun_blank, force=run.force)
        outcome.pending[partition] = len(plan.cells)
        if plan.cells:
            plans[partition] = plan
    return plans


def _project(
    caller: Caller, prompts: Mapping[Partition, Mapping[Cell, Prompt]], prices: PriceBook
) -> Projection:
    total = NOTHING
    for partition, by_cell in prompts.items():
        texts = (prompt.text for prompt in by_cell.values())
        model, limit = caller.model(partition), caller.max_tokens(partition)
        total += project(model, texts, limit, prices.usd)
    return total


def _spent_usd(store: ResultsStore) -> float:
    return sum(usd or 0.0 for usd in store.read("ledger", columns=["usd"])["usd"].to_pylist())


def _tasks(
    caller: Caller,
    run: StageRun,
    plans: Mapping[Partition, Plan],
    prompts: Mapping[Partition, Mapping[Cell, Prompt]],
) -> "list[Task]":
    settings = request_settings(run.study.config.solvers, run.extent.batch)
    return [
        caller.task(
            partition,
            plan,
            prompts[partition],
            settings,
            {
                "study": run.study.name,
                "run_id": run.run_id,
                "stage": stage_of(partition),
                "condition_id": partition[-1],
                "gen_condition_id": partition[0] if len(partition) == 2 else None,
            },
        )
        for partition, plan in plans.items()
    ]


def _evaluate(run: StageRun, tasks: "list[Task]", stage: str, calls: int) -> "list[EvalLog]":
    logs = log_files.running_dir(run.store.local_root)
    with reporting(Progress(stage, calls), run.listener, run.prices.usd):
        return evaluate(tasks, logs, run.study.config.solvers.retry_on_error)


def _archive(store: ResultsStore, path: Path, header: "EvalLog") -> tuple[Partition, str]:
    """Move a log to the folder of its condition; its partition, and its key from now on."""
    partition, spec = partition_of_log(header), header.eval
    root = store.local_root
    return partition, log_files.archive_log(root, path, partition, spec.created, spec.task_id)


def _collect(
    caller: Caller, run: StageRun, logs: Iterable[tuple[Partition, str]], outcome: Outcome
) -> None:
    """Add the rows and the index rows of some logs to the outcome, one log in memory at a time."""
    schema = arrow_schema(TABLES[caller.table])
    for partition, key in logs:
        log = read_log(run.store.local_root / key)
        facts = log_facts(log, caller.model(partition), run.prices)
        rows = caller.rows(partition, log, key, facts["run_id"])
        outcome.rows = pa.concat_tables([outcome.rows, pa.Table.from_pylist(rows, schema=schema)])
        index = {
            **facts,
            "log_file": key,
            "stage": stage_of(partition),
            "condition_id": partition[-1],
            "gen_condition_id": partition[0] if len(partition) == 2 else None,
        }
        entry = pa.Table.from_pylist([index], schema=arrow_schema(LOG_INDEX))
        known = outcome.log_index.get(partition)
        outcome.log_index[partition] = pa.concat_tables([known, entry]) if known else entry
        outcome.lost.setdefault(partition, []).extend(_lost_costs(partition, rows))
        outcome.endpoints["|".join(partition)] = redacted(served_models(log))
        if not facts["priced"]:
            outcome.unpriced.add(facts["model"])


def _lost_costs(
    partition: Partition, rows: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Rows of `replaced` for calls that cost something and brought an error.

    Their own rows have usd 0.0, and keep their tokens: here it is the other way round.
    """
    for row in rows:
        if row["lost_usd"]:
            yield {
                **{name: row[name] for name in ("run_id", "item_id", "epoch", "log_file")},
                "stage": stage_of(partition),
                "sample_uuid": f"{row['sample_uuid']}:error",
                "condition_id": partition[-1],
                "gen_condition_id": partition[0] if len(partition) == 2 else None,
                "usd": row["lost_usd"],
                "created_at": row["created_at"],
            }


def _begin_manifest(run: StageRun, plans: Mapping[Partition, Plan], projection: Projection) -> None:
    """Write down what is about to run: a killed run, too, can be explained."""
    manifest = build_manifest(
        run.study,
        run_id=run.run_id,
        stage=stage_of(next(iter(plans))),
        created_at=now(),
        versions=_versions(),
        items=run.items.to_pylist(),
        plan=run.extent,
        partitions=plans,
        estimate=projection,
    )
    run.store.update_json(manifest_key(run.run_id), lambda _: manifest)


def _finish_manifest(run: StageRun, outcome: Outcome) -> None:
    """Add what only the calls could tell: effective sampling and endpoints, by condition."""
    found: dict[str, Any] = {"endpoints_effective": outcome.endpoints}
    if "temperature_effective" in outcome.rows.column_names:
        found["sampling_effective"] = _effective_sampling(outcome.rows)
    run.store.update_json(manifest_key(run.run_id), lambda manifest: {**manifest, **found})


def _effective_sampling(solutions: pa.Table) -> dict[str, Any]:
    columns = [name for name in solutions.column_names if name.endswith("_effective")]
    sampling: dict[str, dict[str, list[Any]]] = {}
    for row in solutions.select(["condition_id", *columns]).to_pylist():
        seen = sampling.setdefault(row["condition_id"], {name: [] for name in columns})
        for name in columns:
            if row[name] is not None and row[name] not in seen[name]:
                seen[name].append(row[name])
    return sampling


def _versions() -> dict[str, Any]:
    ours = _version("itemeval-assets")
    return {
        "itemeval_version": f"itemeval_assets {ours}",
        "itemeval_assets_version": ours,
        "python_version": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
