"""preflight: one tiny call per distinct model, before a study relies on it.

Its calls are paid like all others: they pass the gate, are logged, and stand in the ledger,
under the stage `preflight`. They fill no cell, so that their cost is kept in `replaced`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import Cell
from itemeval_assets.core.design.partitions import PREFLIGHT, Partition
from itemeval_assets.core.design.study import Study, run_plan
from itemeval_assets.core.errors import ModelError
from itemeval_assets.core.money.budget import require_budget
from itemeval_assets.core.money.ledger import bookings_of
from itemeval_assets.core.money.native import native_routes
from itemeval_assets.core.money.preflight import (
    PREFLIGHT_ITEM,
    PREFLIGHT_PROMPT,
    ModelHealth,
    verdict_on,
)
from itemeval_assets.core.money.pricing import PriceBook
from itemeval_assets.core.money.projection.estimate import (
    NOTHING,
    Call,
    Projection,
    most_tokens,
    project,
)
from itemeval_assets.core.money.providers import words_of_mocks
from itemeval_assets.core.prompts.prompts import one_message
from itemeval_assets.core.tables.schemas import LOG_INDEX, REPLACED, arrow_schema
from itemeval_assets.core.tables.upsert import upsert
from itemeval_assets.core.text.secrets import redacted
from itemeval_assets.engine.calls.evaluate import evaluate, tell_prices
from itemeval_assets.engine.calls.in_flight.allowance import Allowance
from itemeval_assets.engine.calls.in_flight.turns import Turns
from itemeval_assets.engine.calls.models import RunModels
from itemeval_assets.engine.calls.tasks import (
    CallSettings,
    Target,
    build_task,
    make_sample,
    tiny_config,
)
from itemeval_assets.engine.logs.broken import why_broken
from itemeval_assets.engine.logs.reading import read_log
from itemeval_assets.engine.rows import PRICE, call_rows, log_facts, unlogged_call
from itemeval_assets.stages import ledger
from itemeval_assets.storage.study import log_files
from itemeval_assets.storage.study.reservations import Reservations
from itemeval_assets.storage.study.store import ResultsStore

from .gate import Gate, standing
from .recovery.evidence import UNLOGGED
from .unfinished import running_headers, take_in_notes

_MOST_OUTPUT_TOKENS = 16
# What it tries is no cell of the design.
_TRIALS = Partition()
_CELL = Cell(PREFLIGHT_ITEM, 1)


def study_models(study: Study) -> dict[str, str]:
    """The distinct models that a run may call, and the YAML path that names each first."""
    answering = [] if study.config.benchmark.from_logs else study.models
    models = dict.fromkeys(answering, study.models_key)
    design = study.design
    for model, where in (*design.writing_models.items(), *design.grading_models.items()):
        models.setdefault(model, where)
    return models


def require_allowed(
    study: Study, store: ResultsStore, prices: PriceBook, consent_usd: float | None
) -> None:
    """Raise what the gate raises: BudgetExceeded, ConsentMissing, ConfigError. Reserves nothing."""
    routes = _routes(study, prices)
    targets, _ = _targets(study, RunModels(), routes)
    prices = prices.priced_as(routes)
    budget, found = study.config.budget, standing(store, prices)
    require_budget(_cost(targets, prices), budget, found, consent_usd, words_of_mocks(targets))


def check_models(
    study: Study, store: ResultsStore, prices: PriceBook, gate: Gate, run_id: str
) -> list[ModelHealth]:
    """Call every distinct model once, and book what it cost.

    Raises BudgetExceeded, ConsentMissing or ConfigError before the first call.
    """
    models, routes = RunModels(), _routes(study, prices)
    targets, dead = _targets(study, models, routes)
    prices = prices.priced_as(routes)
    projection = _cost(targets, prices)
    gate.admit(projection, words_of_mocks(targets))
    tell_prices({routes.get(model, model): prices.rates(model) for model in targets})
    tasks = [
        _task(
            target,
            Allowance(projection.usd, prices.usd),
            _metadata(study, gate, model, run_id, prices),
        )
        for model, target in targets.items()
    ]
    if tasks:
        with log_files.writing_logs(store.backend) as folder:
            evaluate(tasks, folder, retry_on_error=0)
    with store.claimed([_TRIALS], f"{gate.holder}-{run_id}", lambda *_: None):
        found = {health.model: health for health in _book(store, prices, run_id, gate.holder)}
    told = {model: _with_doubt(health, models) for model, health in found.items()}
    return [told.get(model) or dead[model] for model in study_models(study)]


def _routes(study: Study, prices: PriceBook) -> dict[str, str]:
    """Under which other ids a run of the study calls its models."""
    is_wanted = study.config.budget.prefer_native_batch and run_plan(study.config).batch
    return native_routes(study.called_models, prices) if is_wanted else {}


def _with_doubt(health: ModelHealth, models: RunModels) -> ModelHealth:
    doubt = models.doubts.get(health.model)
    return health._replace(reason=f"{health.reason}. {doubt}") if doubt else health


def _targets(
    study: Study, models: RunModels, routes: Mapping[str, str]
) -> tuple[dict[str, Target], dict[str, ModelHealth]]:
    targets, dead = {}, {}
    for model, where in study_models(study).items():
        try:
            resolved = models.resolve(routes.get(model, model), where)
            targets[model] = Target("preflight", resolved, tiny_config(_MOST_OUTPUT_TOKENS))
        except ModelError as error:
            dead[model] = ModelHealth(model, "dead", str(error))
    return targets, dead


def _cost(targets: Iterable[str], prices: PriceBook) -> Projection:
    return sum((_project(model, prices) for model in targets), NOTHING)


def _project(model: str, prices: PriceBook) -> Projection:
    call = Call(most_tokens(PREFLIGHT_PROMPT), _MOST_OUTPUT_TOKENS, most_tokens(PREFLIGHT_PROMPT))
    found = project(model, [call], prices.usd)
    # So few tokens surprise nobody, whatever they cost.
    return found._replace(unpriced=())


def _metadata(
    study: Study, gate: Gate, model: str, run_id: str, prices: PriceBook
) -> dict[str, Any]:
    return {
        "study": study.name,
        "run_id": run_id,
        "reserved_by": gate.holder,
        "stage": PREFLIGHT.name,
        "model": model,
        PRICE: prices.evidence(model),
    }


def _task(target: Target, allowance: Allowance, metadata: dict[str, Any]) -> Any:
    sample = make_sample(PREFLIGHT_ITEM, one_message(PREFLIGHT_PROMPT), "ok", {})
    settings = CallSettings(use_cache=False, fresh=set(), allowance=allowance, turns=Turns())
    return build_task(target, PREFLIGHT.name, {_CELL: (sample, 1)}, settings, metadata)


def _book(
    store: ResultsStore, prices: PriceBook, run_id: str, holder: str
) -> Iterator[ModelHealth]:
    """Archive the logs of this preflight and of killed ones; what this one found."""
    living = set(Reservations(store).amounts()) - {holder}
    index, paid = [], []
    for running, header in running_headers(store):
        facts = header.eval.metadata or {}
        if facts.get("stage") != PREFLIGHT.name or facts.get("reserved_by") in living:
            continue
        take_in_notes(store.backend, running)
        spec = header.eval
        key = log_files.archive_log(store.backend, running, _TRIALS, spec.created, spec.task_id)
        log = read_log(store.backend.local_copy(key), store.backend.uri(key))
        model = str(facts["model"])
        index.append({**log_facts(log, model, prices), "log_file": key, **_place()})
        for _, call in call_rows(log, model, prices):
            usd = call["lost_usd"] if call["error"] else call["usd"]
            known = {"run_id": facts["run_id"], "log_file": key, "usd": usd}
            paid.append({**call, **_place(), **known})
            if facts["run_id"] == run_id:
                yield _health(model, call)
        if unlogged := unlogged_call(log, model, prices):
            known = {"run_id": facts["run_id"], "log_file": key, "item_id": UNLOGGED}
            paid.append({**unlogged, **_place(), **known})
        why = why_broken(log)
        if why and not log.samples and facts["run_id"] == run_id:
            told = f"inspect_ai could not log its call: {redacted(why)}"
            usd = unlogged["usd"] if unlogged else None
            yield ModelHealth(model, "unverified", told, usd=usd)
    if not index:
        return
    store.upsert("replaced", _TRIALS, pa.Table.from_pylist(paid, schema=arrow_schema(REPLACED)))
    entries = pa.Table.from_pylist(index, schema=arrow_schema(LOG_INDEX))
    booked = upsert(LOG_INDEX, store.read("log_index", [_TRIALS]), entries).rows
    ledger.bring_up_to_date(store)
    store.upsert("bookings", _TRIALS, bookings_of(booked))
    ledger.unite(store, [_TRIALS])
    store.upsert("log_index", _TRIALS, entries)


def _place() -> dict[str, Any]:
    return {**_TRIALS.columns, **_CELL._asdict()}


def _health(model: str, call: Mapping[str, Any]) -> ModelHealth:
    verdict = verdict_on(call["error"])
    reason = call["error"] or ("answered" if call["completion"] else "gave an empty answer")
    return ModelHealth(model, verdict, reason, call["latency_s"], call["usd"])
