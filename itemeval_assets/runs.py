"""Starts Dagster runs of a study in this process, and reads what became of them."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from filelock import FileLock

from itemeval_assets.core import errors
from itemeval_assets.core.errors import RunFailed
from itemeval_assets.core.ledger import VERIFIABLE
from itemeval_assets.core.study import Study
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.defs.names import asset_key, identifier
from itemeval_assets.defs.progress import listening
from itemeval_assets.engine.models import require_models
from itemeval_assets.settings import Settings, dagster_home_for
from itemeval_assets.stages.export import ExportResult
from itemeval_assets.stages.status import StudyStatus, survey
from itemeval_assets.storage.store import ResultsStore, open_store

if TYPE_CHECKING:
    from itemeval_assets.engine.progress import Progress

__all__ = ["RunSummary", "ensure_home", "make_home", "run_export", "run_study"]

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
OUTPUTS = {
    "solutions": ("solutions", "generation_ledger"),
    "gradings": ("gradings", "grading_ledger", "gradings_long"),
}


@dataclass(frozen=True)
class RunSummary:
    """What a run did, and how the study stands now.

    `calls` and `usd` are those of this run's ledger, `cached` of the calls were answered by
    the response cache, free; `unpriced` names models whose usd is
    not known; `failed_checks` lists `asset:check:partition`.
    """

    study: str
    run_ids: list[str]
    calls: int
    cached: int
    usd: float
    unpriced: list[str]
    recovered: int
    failed_checks: list[str]
    status: StudyStatus
    export: ExportResult

    @property
    def errored(self) -> int:
        """Cells of the design that carry an error now."""
        return sum(part.errored for part in (*self.status.generate, *self.status.grade))


def run_study(
    study: Study,
    *,
    stages: Sequence[str],
    generate: list[str],
    grade: list[str],
    config: Mapping[str, Any],
    on_progress: "Callable[[Progress], None] | None",
) -> RunSummary:
    """Materialize items, then the stages over the chosen conditions, then ledger and export."""
    store = open_store(study)
    _require_models(study, store, stages, generate, grade, config)
    all_generate = [condition.id for condition in study.design.generate]
    all_grade = [condition.id for condition in study.design.grade]
    rows, columns = _ranges(generate, all_generate), _ranges(grade, all_grade)
    with _Launcher.open(study) as launch, listening(on_progress) if on_progress else nullcontext():
        launch(["items"])
        if "solutions" in stages:
            for first, last in rows:
                launch(OUTPUTS["solutions"], (first, last), config)
        if "gradings" in stages:
            for first, last in rows:
                for left, right in columns:
                    launch(OUTPUTS["gradings"], (f"{first}|{left}", f"{last}|{right}"), config)
        launch(["ledger", "export"])
    booked = [row for row in store.read("ledger").to_pylist() if row["run_id"] in launch.run_ids]
    called = [row for row in booked if row["model"] != VERIFIABLE]
    return RunSummary(
        study=study.name,
        run_ids=launch.run_ids,
        calls=sum(row["calls"] for row in called),
        cached=_cached_calls(store, launch.run_ids),
        usd=sum(row["usd"] or 0.0 for row in called),
        unpriced=sorted({row["model"] for row in called if not row["priced"]}),
        recovered=launch.recovered,
        failed_checks=launch.failed_checks,
        status=survey(study, store, config.get("policy")),
        export=launch.exported(store),
    )


def _require_models(
    study: Study,
    store: ResultsStore,
    stages: Sequence[str],
    generate: list[str],
    grade: list[str],
    config: Mapping[str, Any],
) -> None:
    """Raise ModelError for a model that a pending cell needs and that cannot be had.

    Before anything is written or paid: a judge without a key is better found before the
    solutions than after them.
    """
    found = survey(study, store, config.get("policy"))
    everything = config.get("force") or not found.items
    models: dict[str, str] = {}
    for part in found.generate if "solutions" in stages else ():
        if part.partition[0] in generate and (everything or part.done < part.cells):
            models[study.design.generate_by_id()[part.partition[0]].model] = "solvers.models"
    for part in found.grade if "gradings" in stages else ():
        condition = study.design.grade_by_id()[part.partition[1]]
        chosen = part.partition[0] in generate and part.partition[1] in grade
        if condition.grader and chosen and (everything or part.done < part.cells):
            models.setdefault(condition.grader.model, f"graders.{condition.grader_name}")
    require_models(models)


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
    failed_checks: list[str] = field(default_factory=list)
    _export: Mapping[str, Any] = field(default_factory=dict)

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
    ) -> None:
        """Run these assets to their end. Raises the error of the first step that fails."""
        tags = {RANGE_START: partitions[0], RANGE_END: partitions[1]} if partitions else {}
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
        found = {name: value.value for name, value in self._export.items()}
        unpriced = found["models without price"]
        return ExportResult(
            rows=found["dagster/row_count"],
            usd=found["usd"],
            unpriced=() if unpriced == "none" else tuple(unpriced.split(", ")),
            paths={name: path for name, path in found.items() if name.startswith("export/")},
        )

    def _collect(self, result: dg.ExecuteInProcessResult) -> None:
        for event in result.get_asset_materialization_events():
            found = event.step_materialization_data.materialization
            recovered = found.metadata.get("recovered calls")
            self.recovered += int(recovered.value) if recovered else 0  # type: ignore[arg-type]
            if found.asset_key == asset_key(self.study, "export"):
                self._export = found.metadata
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
            return kind(failure.description)
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


def _cached_calls(store: ResultsStore, run_ids: Sequence[str]) -> int:
    """Rows of these runs that the response cache answered: an answer, and no tokens."""
    columns = ["run_id", "total_tokens", "error", "log_file"]
    rows = [
        *store.read("solutions", columns=columns).to_pylist(),
        *store.read("gradings", columns=columns).to_pylist(),
    ]
    return sum(
        row["run_id"] in run_ids
        and row["log_file"] is not None
        and row["error"] is None
        and row["total_tokens"] is None
        for row in rows
    )


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
