"""What a study is asked to do, as Dagster runs in this process, one after the other."""

import math
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from itemeval_assets.core.budget import require_sane_consent
from itemeval_assets.core.errors import BudgetExceeded, ConsentMissing, ModelError
from itemeval_assets.core.ledger import VERIFIABLE
from itemeval_assets.core.preflight import ModelHealth
from itemeval_assets.core.spans import shares, spans
from itemeval_assets.core.spend import spend_by_model
from itemeval_assets.core.study import Asked, Partition, Study
from itemeval_assets.defs.names import partition_key
from itemeval_assets.defs.progress import listening
from itemeval_assets.defs.reruns import OUTPUTS
from itemeval_assets.launcher import Launcher
from itemeval_assets.stages.estimate import StudyEstimate, estimate
from itemeval_assets.stages.evidence import unread_partitions
from itemeval_assets.stages.export import ExportResult
from itemeval_assets.stages.gate import open_gate
from itemeval_assets.stages.stage_run import Scope
from itemeval_assets.stages.status import StudyStatus, survey
from itemeval_assets.storage.inputs import load_prices
from itemeval_assets.storage.store import ResultsStore, open_store
from itemeval_assets.workers import Ended, Share, Workers

if TYPE_CHECKING:
    from itemeval_assets.engine.progress import Progress

__all__ = [
    "ReleaseSummary",
    "RunSummary",
    "run_export",
    "run_preflight",
    "run_release",
    "run_study",
]


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
    study: Study,
    asked: Asked,
    on_progress: "Callable[[Progress], None] | None",
    workers: int = 1,
) -> RunSummary:
    """Materialize items, then the stages over the chosen conditions, then ledger and export.

    The gate admits all calls of the run before the first; each stage passes it again, with
    what is known by then. `workers`: processes that share the partitions of a stage.
    """
    store, prices = open_store(study), load_prices(study)
    require_sane_consent(asked.consent_usd, study.config.budget)
    holder = f"command-{uuid.uuid4().hex}"
    with ExitStack() as stack:
        launch = stack.enter_context(Launcher.open(study))
        if on_progress:
            stack.enter_context(listening(on_progress))
        gate = stack.enter_context(
            open_gate(study, store, prices, holder=holder, consent_usd=asked.consent_usd)
        )
        launch(["items"])
        _read_back(study, store, asked, launch, holder)
        foreseen = None
        if not asked.recover_only:
            foreseen = _foreseen(study, store, asked)
            if foreseen.unreachable:
                raise ModelError("\n".join(foreseen.unreachable))
            gate.admit(foreseen.remaining)
        pool = None
        if workers > 1:
            pool = stack.enter_context(Workers.open(study, workers, on_progress))
        refusal = None
        for stage in OUTPUTS:
            try:
                _run_stage(stage, study, store, asked, launch, holder, foreseen, pool)
            except (BudgetExceeded, ConsentMissing) as error:
                refusal = error  # what was called until now is booked and exported all the same
                break
        called = _ledger_of(store, launch.run_ids)
        launch(["ledger", *(["costs", "results"] if called else []), "export"])
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
        export=_exported(launch, store),
    )


def _read_back(
    study: Study, store: ResultsStore, asked: Asked, launch: Launcher, holder: str
) -> None:
    """Read back what killed runs have logged, so that nobody is asked to consent to it again."""
    left = unread_partitions(store, [*asked.solutions(), *asked.gradings()])
    if left and not asked.recover_only:
        reading = replace(asked, partitions=left, recover_only=True)
        for stage in OUTPUTS:
            _run_stage(stage, study, store, reading, launch, holder, None, None)


def _run_stage(
    stage: str,
    study: Study,
    store: ResultsStore,
    asked: Asked,
    launch: Launcher,
    holder: str,
    foreseen: StudyEstimate | None,
    pool: Workers | None,
) -> None:
    """The Dagster runs of one stage, one after the other here, or shared among workers."""
    wanted = asked.solutions() if stage == "solutions" else asked.gradings()
    config = _step_config(study, store, asked, launch.run_ids)
    if pool is None or len(wanted) < 2:
        for span in _keys(study, stage, wanted):
            launch(OUTPUTS[stage], span, _step_config(study, store, asked, launch.run_ids), holder)
        return
    parts = [] if foreseen is None else (*foreseen.generate, *foreseen.grade)
    calls = {part.partition: float(part.remaining.calls) for part in parts}
    usd = {part.partition: part.remaining.usd for part in parts}
    total = sum(usd.get(partition, 0.0) for partition in wanted)
    given = []
    for part in shares(wanted, calls, pool.count):
        own = sum(usd.get(partition, 0.0) for partition in part)
        # Together they may spend what the command may: each gets the part that its calls have.
        allowed = config["consent_usd"] * (own / total if total else 1.0)
        own_config = {**config, "consent_usd": allowed}
        given.append(Share(OUTPUTS[stage], _keys(study, stage, part), own_config, holder))
    _take_in(launch, pool(given))


def _take_in(launch: Launcher, ended: "Sequence[Ended]") -> None:
    """Add what the workers did to what this process did. Raises their first error."""
    for part in ended:
        launch.run_ids += part.run_ids
        launch.recovered += part.recovered
        launch.held_back += part.held_back
        launch.failed_checks += part.failed_checks
    for part in ended:
        error = part.raised()
        if error is not None:
            raise error


def _keys(study: Study, stage: str, wanted: Sequence[Partition]) -> list[tuple[str, str]]:
    """The ranges of partition keys that cover the wanted partitions, and no other."""
    rows = [condition.id for condition in study.design.generate]
    columns = [condition.id for condition in study.design.grade]
    across = () if stage == "solutions" else columns
    return [
        (partition_key(first), partition_key(last)) for first, last in spans(wanted, rows, across)
    ]


def _foreseen(study: Study, store: ResultsStore, asked: Asked) -> StudyEstimate:
    scope = Scope(
        study=study,
        store=store,
        prices=load_prices(study),
        items=store.read("items"),
        force=asked.force,
        policy=asked.policy,
    )
    return estimate(scope, asked, in_full=False)


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
    return {
        "force": asked.force,
        "recover_only": asked.recover_only,
        "policy": asked.policy,
        "consent_usd": left,
    }


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
    with Launcher.open(study) as launch:
        launch(["preflight"], config={"consent_usd": consent_usd})
    return [
        ModelHealth(
            record.data["model"],  # type: ignore[arg-type]
            record.data["verdict"],  # type: ignore[arg-type]
            record.data["reason"],  # type: ignore[arg-type]
            *(float(record.data[name] or "nan") for name in ("latency_s", "usd")),  # type: ignore[arg-type]
        )
        for record in launch.recorded["preflight"]["models"].records  # type: ignore[attr-defined]
    ]


def run_export(study: Study) -> ExportResult:
    """Materialize the ledger and the export, and say what was written."""
    store = open_store(study)
    with Launcher.open(study) as launch:
        launch(["ledger", "export"])
    return _exported(launch, store)


@dataclass(frozen=True)
class ReleaseSummary:
    """What was released. `is_new` is false where nothing had changed since that release.

    `missing` counts cells of the design without a sound grading event.
    """

    study: str
    experiment_id: str
    version: str
    uri: str
    bucket: str
    is_new: bool
    cells: int
    events: int
    missing: int


def run_release(study: Study, version: str | None) -> ReleaseSummary:
    """Materialize the ledger and the release, and say what was published."""
    with Launcher.open(study) as launch:
        launch(["ledger"])
        launch(["release"], config={"version": version})
    found = {name: value.value for name, value in launch.recorded["release"].items()}
    return ReleaseSummary(
        study=study.name,
        experiment_id=found["experiment_id"],
        version=found["version"],
        uri=found["published"],
        bucket=found["bucket"],
        is_new=found["is new"],
        cells=found["cells"],
        events=found["events"],
        missing=found["cells without a sound event"],
    )


def _cached_calls(store: ResultsStore, run_ids: Sequence[str]) -> int:
    """Calls of these runs that the response cache answered."""
    logs = store.read("log_index", columns=["run_id", "cached_samples"]).to_pylist()
    return sum(log["cached_samples"] or 0 for log in logs if log["run_id"] in run_ids)


def _exported(launch: Launcher, store: ResultsStore) -> ExportResult:
    """What the last run wrote into export/, from what it recorded."""
    found = {name: value.value for name, value in launch.recorded["export"].items()}
    unpriced = found["models without price"]
    return ExportResult(
        rows=found["dagster/row_count"],
        usd=found["usd"],
        unpriced=() if unpriced == "none" else tuple(unpriced.split(", ")),
        paths={name: path for name, path in found.items() if name.startswith("export/")},
        spend=spend_by_model(store.read("log_index").to_pylist()),
    )
