"""Starts Dagster runs of a study in this process, and reads what became of them."""

import math
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from filelock import FileLock

from itemeval_assets.core import errors
from itemeval_assets.core.budget import require_sane_consent
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing, ModelError, RunFailed
from itemeval_assets.core.ledger import VERIFIABLE
from itemeval_assets.core.preflight import ModelHealth
from itemeval_assets.core.spend import spend_by_model
from itemeval_assets.core.study import Asked, Study
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.defs.names import RESERVED_BY_TAG, asset_key, identifier
from itemeval_assets.defs.progress import listening
from itemeval_assets.settings import Settings, dagster_home_for
from itemeval_assets.stages.estimate import StudyEstimate, estimate
from itemeval_assets.stages.export import ExportResult
from itemeval_assets.stages.gate import open_gate
from itemeval_assets.stages.stage_run import Scope
from itemeval_assets.stages.status import StudyStatus, survey
from itemeval_assets.storage.inputs import load_prices
from itemeval_assets.storage.store import ResultsStore, open_store

if TYPE_CHECKING:
    from itemeval_assets.engine.progress import Progress

__all__ = [
    "RunSummary",
    "ensure_home",
    "make_home",
    "run_export",
    "run_preflight",
    "run_study",
]

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
OUTPUTS = {
    "solutions": ("solutions", "generation_ledger"),
    "gradings": ("gradings", "grading_ledger", "gradings_long"),
}


@dataclass(frozen=True)
class RunSummary:
    """What a run did, and how the study stands now.

    `calls` and `usd` are those of this run's ledger, `cached` of the calls were answered by
    the response cache, free; `unpriced` names models whose usd is not known; `held_back` calls
    were not made, because others cost more than could be foreseen; `failed_checks` lists
    `asset:check:partition`.
    """

    study: str
    run_ids: list[str]
    calls: int
    cached: int
    usd: float
    unpriced: list[str]
    recovered: int
    held_back: int
    failed_checks: list[str]
    status: StudyStatus
    export: ExportResult

    @property
    def errored(self) -> int:
        """Cells of the design that carry an error now."""
        return sum(part.errored for part in (*self.status.generate, *self.status.grade))


def run_study(
    study: Study, asked: Asked, on_progress: "Callable[[Progress], None] | None"
) -> RunSummary:
    """Materialize items, then the stages over the chosen conditions, then ledger and export.

    The gate admits all calls of the run before the first; each stage passes it again, with
    what is known by then.
    """
    store, prices = open_store(study), load_prices(study)
    require_sane_consent(asked.consent_usd, study.config.budget)
    holder = f"command-{uuid.uuid4().hex}"
    with (
        _Launcher.open(study) as launch,
        open_gate(study, store, prices, holder=holder, consent_usd=asked.consent_usd) as gate,
        listening(on_progress) if on_progress else nullcontext(),
    ):
        launch(["items"])
        foreseen = _foreseen(study, store, asked)
        if foreseen.unreachable:
            raise ModelError("\n".join(foreseen.unreachable))
        gate.admit(foreseen.remaining)
        refusal = None
        for tables, span in _steps(study, asked):
            try:
                launch(tables, span, _step_config(study, store, asked, launch.run_ids), holder)
            except (BudgetExceeded, ConsentMissing) as error:
                refusal = error  # what was called until now is booked and exported all the same
                break
        called = _ledger_of(store, launch.run_ids)
        launch(["ledger", *(["costs"] if called else []), "export"])
        if refusal is not None:
            raise refusal
    return RunSummary(
        study=study.name,
        run_ids=launch.run_ids,
        calls=sum(row["calls"] for row in called),
        cached=_cached_calls(store, launch.run_ids),
        usd=sum(row["usd"] or 0.0 for row in called),
        unpriced=sorted({row["model"] for row in called if not row["priced"]}),
        recovered=launch.recovered,
        held_back=launch.held_back,
        failed_checks=launch.failed_checks,
        status=survey(study, store, asked.policy),
        export=launch.exported(store),
    )


def _foreseen(study: Study, store: ResultsStore, asked: Asked) -> StudyEstimate:
    scope = Scope(
        study=study,
        store=store,
        prices=load_prices(study),
        items=store.read("items"),
        force=asked.force,
        policy=asked.policy,
    )
    return estimate(scope, asked.generate, asked.grade, asked.stages, in_full=False)


def _steps(study: Study, asked: Asked) -> Iterator[tuple[Sequence[str], tuple[str, str]]]:
    """The tables and the range of partitions of each Dagster run that makes calls."""
    rows = _ranges(asked.generate, [condition.id for condition in study.design.generate])
    columns = _ranges(asked.grade, [condition.id for condition in study.design.grade])
    if "solutions" in asked.stages:
        for span in rows:
            yield OUTPUTS["solutions"], span
    if "gradings" in asked.stages:
        for first, last in rows:
            for left, right in columns:
                yield OUTPUTS["gradings"], (f"{first}|{left}", f"{last}|{right}")


def _step_config(
    study: Study, store: ResultsStore, asked: Asked, run_ids: Sequence[str]
) -> dict[str, Any]:
    """The config of the next step: what the user consented to, less what is spent of it."""
    budget, allowed = study.config.budget, asked.consent_usd
    if allowed is None:
        # Nobody was asked, so that no more than this may be spent without a word.
        allowed = min(budget.confirm_above_usd, budget.max_usd or math.inf)
    spent = sum(row["usd"] or 0.0 for row in _ledger_of(store, run_ids))
    left = max(0.0, allowed - spent)
    return {"force": asked.force, "policy": asked.policy, "consent_usd": left}


def _ledger_of(store: ResultsStore, run_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Ledger rows of the calls of these runs; scorers call nobody."""
    return [
        row
        for row in store.read("ledger").to_pylist()
        if row["run_id"] in run_ids and row["model"] != VERIFIABLE
    ]


def run_preflight(study: Study, consent_usd: float | None) -> list[ModelHealth]:
    """Materialize the preflight, and say what it found of each model."""
    require_sane_consent(consent_usd, study.config.budget)
    with _Launcher.open(study) as launch:
        launch(["preflight"], config={"consent_usd": consent_usd})
    return [
        ModelHealth(
            record.data["model"],  # type: ignore[arg-type]
            record.data["verdict"],  # type: ignore[arg-type]
            record.data["reason"],  # type: ignore[arg-type]
            *(float(record.data[name] or "nan") for name in ("latency_s", "usd")),  # type: ignore[arg-type]
        )
        for record in launch.recorded["models"].records  # type: ignore[attr-defined]
    ]


def run_export(study: Study) -> ExportResult:
    """Materialize the ledger and the export, and say what was written."""
    store = open_store(study)
    with _Launcher.open(study) as launch:
        launch(["ledger", "export"])
    return launch.exported(store)


def ensure_home(folder: Path) -> Path:
    """The Dagster home for a project folder, made with its dagster.yaml if there is none.

    `DAGSTER_HOME`, where it is set, wins.
    """
    given = os.environ.get("DAGSTER_HOME")
    return make_home(Path(given).expanduser().resolve() if given else dagster_home_for(folder))


def make_home(home: Path) -> Path:
    """Make a Dagster home with our dagster.yaml; one that is there stays as it is."""
    home.mkdir(parents=True, exist_ok=True)
    with _alone_in(home):
        if not (home / "dagster.yaml").exists():
            packaged = files("itemeval_assets") / "builtin" / "dagster.yaml"
            (home / "dagster.yaml").write_bytes(packaged.read_bytes())
    return home


def _alone_in(home: Path) -> FileLock:
    """Keeps other processes from making the files of a new Dagster home at the same time."""
    return FileLock(home / ".opening.lock")


@dataclass
class _Launcher:
    """Starts one Dagster run after another, and collects what they tell."""

    study: Study
    job: dg.JobDefinition
    instance: dg.DagsterInstance
    run_ids: list[str] = field(default_factory=list)
    recovered: int = 0
    held_back: int = 0
    failed_checks: list[str] = field(default_factory=list)
    recorded: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, study: Study) -> Iterator["_Launcher"]:
        definitions = build_definitions(Settings(), [study])
        home = ensure_home(study.config_dir)
        with _alone_in(home):
            opened = dg.DagsterInstance.from_config(str(home))
        with opened as instance:
            yield cls(study, definitions.resolve_implicit_global_asset_job_def(), instance)

    def __call__(
        self,
        tables: Sequence[str],
        partitions: tuple[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        reserved_by: str | None = None,
    ) -> None:
        """Run these assets to their end. Raises the error of the first step that fails."""
        tags = {RANGE_START: partitions[0], RANGE_END: partitions[1]} if partitions else {}
        if reserved_by:
            tags[RESERVED_BY_TAG] = reserved_by
        run_config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        if config is not None:
            step = f"{identifier(self.study)}__{tables[0]}"
            run_config["ops"] = {step: {"config": dict(config)}}
        result = self.job.execute_in_process(
            instance=self.instance,
            asset_selection=[asset_key(self.study, table) for table in tables],
            tags=tags,
            run_config=run_config,
            raise_on_error=False,
        )
        self.run_ids.append(result.run_id)
        self._collect(result)
        if not result.success:
            raise _error_of(result)

    def exported(self, store: ResultsStore) -> ExportResult:
        """What the last run wrote into export/, from what it recorded."""
        found = {name: value.value for name, value in self.recorded.items()}
        unpriced = found["models without price"]
        return ExportResult(
            rows=found["dagster/row_count"],
            usd=found["usd"],
            unpriced=() if unpriced == "none" else tuple(unpriced.split(", ")),
            paths={name: path for name, path in found.items() if name.startswith("export/")},
            spend=spend_by_model(store.read("log_index").to_pylist()),
        )

    def _collect(self, result: dg.ExecuteInProcessResult) -> None:
        held_back = 0
        for event in result.get_asset_materialization_events():
            found = event.step_materialization_data.materialization
            self.recovered += _count(found.metadata, "recovered calls")
            # Every partition of a run says how many calls the run held back.
            held_back = max(held_back, _count(found.metadata, "held back calls"))
            self.recorded = found.metadata
        self.held_back += held_back
        for check in result.get_asset_check_evaluations():
            if not check.passed and check.partition is not None:
                name = f"{check.asset_key.path[-1]}:{check.check_name}:{check.partition}"
                self.failed_checks.append(name)


def _error_of(result: dg.ExecuteInProcessResult) -> Exception:
    """The error that ended a run, as the class it was raised as."""
    for event in result.all_node_events:
        if not event.is_step_failure:
            continue
        failure = event.step_failure_data.user_failure_data
        if failure is not None and "exit_code" in failure.metadata:
            kind = getattr(errors, str(failure.metadata["error"].value))
            facts = {name: value.value for name, value in failure.metadata.items()}
            figures = {k: v for k, v in facts.items() if isinstance(v, (int, float))}
            return kind(failure.description, figures)
        error = event.step_failure_data.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None and error.cls_name == "DagsterExecutionInterruptedError":
            return RunFailed("stopped; finished calls are kept, the next run goes on from there")
        message = error.message.strip() if error else "no message"
        return RunFailed(
            f"run {result.run_id} failed in step {event.step_key}: {message[:600]}\n"
            "Nothing stored was lost. The whole story is in the run's page: itemeval-assets ui"
        )
    return RunFailed(f"run {result.run_id} failed; see its page: itemeval-assets ui")


def _count(metadata: Mapping[str, Any], name: str) -> int:
    return int(metadata[name].value) if name in metadata else 0


def _cached_calls(store: ResultsStore, run_ids: Sequence[str]) -> int:
    """Calls of these runs that the response cache answered."""
    logs = store.read("log_index", columns=["run_id", "cached_samples"]).to_pylist()
    return sum(log["cached_samples"] or 0 for log in logs if log["run_id"] in run_ids)


def _ranges(wanted: Sequence[str], order: Sequence[str]) -> list[tuple[str, str]]:
    """The first and last key of each unbroken stretch of `wanted` in `order`."""
    ranges: list[tuple[str, str]] = []
    previous: int | None = None
    for place, key in enumerate(order):
        if key not in wanted:
            continue
        if previous is not None and previous == place - 1:
            ranges[-1] = (ranges[-1][0], key)
        else:
            ranges.append((key, key))
        previous = place
    return ranges
