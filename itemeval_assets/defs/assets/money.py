"""The assets about money: ledger, costs, and, before any is spent, estimate and preflight."""

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.selection import select
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.money.losses import losses_words
from itemeval_assets.core.money.preflight import Verdict
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.dagster_io.config import PlanConfig
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.results import tell_result
from itemeval_assets.dagster_io.steps import gate_of, store_of
from itemeval_assets.defs.shown.metadata import (
    picture,
    spend_table,
    table_metadata,
    usd,
    view_table,
)
from itemeval_assets.defs.shown.versions import content_version
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.layout import LAYOUT_VERSION

from .automation import when_inputs_change

if TYPE_CHECKING:
    from itemeval_assets.core.money.preflight import ModelHealth
    from itemeval_assets.stages.projection.estimate import StudyEstimate
    from itemeval_assets.stages.projection.foresight import PartitionEstimate


class LedgerConfig(dg.Config):
    """`accept_loss`: record booked calls of which neither a row nor a log is left, and wait no more
    for batches that nobody can collect."""

    accept_loss: bool = False


class PreflightConfig(dg.Config):
    """`consent_usd`: what the tiny calls may cost."""

    consent_usd: float | None = None


def estimate_asset(study: Study, shared: dict[str, Any]) -> Any:
    @dg.asset(
        key=asset_key(study, "estimate"),
        deps=[asset_key(study, "items")],
        description="The calls and the cost of what remains and of the full grid, estimated "
        "without a call.",
        **shared,
    )
    def estimate(context: dg.AssetExecutionContext, config: PlanConfig) -> dg.MaterializeResult:
        with users_errors():
            store, everything = store_of(study, context), select(study.design)
            found = stages.estimate.preview(study, store, config.options(), everything)
        for warning in found.warnings:
            context.log.warning(warning)
        return dg.MaterializeResult(metadata=_estimate_metadata(found))

    return estimate


def _estimate_metadata(found: "StudyEstimate") -> dict[str, Any]:
    remaining, whole = found.remaining, found.all_tranches
    of_whole = {}
    if whole is not None:
        of_whole = {"calls of all items": whole.calls, "usd of all items at most": usd(whole.usd)}
    return {
        "calls": remaining.calls,
        "calls from the response cache": remaining.cached,
        "usd at most": usd(remaining.usd),
        "usd expected": "unknown: no stored calls yet"
        if remaining.expected_usd is None
        else usd(remaining.expected_usd),
        **of_whole,
        "usd spent so far": usd(found.spent_usd),
        "usd reserved by runs and batches": usd(found.reserved_usd),
        **_estimate_table("solutions", found.generate),
        **(_estimate_table("item_rubrics", found.rubrics) if found.rubrics else {}),
        **_estimate_table("gradings", found.grade),
        "warnings": dg.MetadataValue.md("\n".join(f"- {w}" for w in found.warnings) or "none"),
    }


def _estimate_table(title: str, parts: "list[PartitionEstimate]") -> dict[str, Any]:
    from itemeval_assets.report.views import ESTIMATE, View

    if not parts:
        return {title: "no partition calls a model"}
    return view_table(View(title, ESTIMATE, parts))


def preflight_asset(study: Study, shared: dict[str, Any]) -> Any:
    @dg.asset(
        key=asset_key(study, "preflight"),
        kinds={"inspect_ai"},
        description="One tiny call to each distinct model: ok, dead, or unverified. The calls "
        "are in the ledger, under the stage preflight.",
        **shared,
    )
    def preflight(
        context: dg.AssetExecutionContext, config: PreflightConfig
    ) -> dg.MaterializeResult:
        store = store_of(study, context)
        with users_errors(), gate_of(context, study, config.consent_usd) as gate:
            run_id = context.op_execution_context.run_id
            found = stages.preflight.check_models(study, store, load_prices(study), gate, run_id)
        tell_result("preflight", found)
        return dg.MaterializeResult(metadata=_preflight_metadata(found))

    return preflight


def _preflight_metadata(found: "list[ModelHealth]") -> dict[str, Any]:
    from itemeval_assets.report.views import HEALTH, View

    verdicts = Counter(health.verdict for health in found)
    counts = {verdict: verdicts[verdict] for verdict in get_args(Verdict)}
    return {**counts, **view_table(View("models", HEALTH, found))}


def ledger_asset(study: Study, shared: dict[str, Any]) -> Any:
    ledgers = [stage.ledger for stage in study.stages]

    @dg.asset(
        key=asset_key(study, "ledger"),
        deps=[asset_key(study, name) for name in (*ledgers, "preflight")],
        kinds={"parquet"},
        description="Every dollar of the study, from the usage in the .eval logs. "
        f"There is {TABLES['ledger'].grain}.",
        metadata=table_metadata(study, "ledger"),
        code_version=LAYOUT_VERSION,
        automation_condition=when_inputs_change(perhaps=[asset_key(study, "preflight")]),
        **shared,
    )
    def ledger(context: dg.AssetExecutionContext, config: LedgerConfig) -> dg.MaterializeResult:
        with users_errors():
            store = store_of(study, context)
            stages.ledger.bring_up_to_date(store)
            if config.accept_loss:
                wanted = partial(stages.incomplete.cells_to_call, study, store)
                stages.batches.give_up(store, wanted)
            accepted = stages.losses.accept(study, store) if config.accept_loss else []
            rows = stages.ledger.unite(store)
        spent = sum(usd or 0.0 for usd in rows["usd"].to_pylist())
        if accepted:
            context.log.warning(f"recorded as lost:\n{losses_words(accepted)}")
        figures = {
            "dagster/row_count": rows.num_rows,
            "usd": usd(spent),
            "losses recorded": len(accepted),
        }
        return dg.MaterializeResult(metadata=figures, data_version=content_version(rows))

    return ledger


def costs_asset(study: Study, shared: dict[str, Any]) -> Any:
    @dg.asset(
        key=asset_key(study, "costs"),
        deps=[asset_key(study, "ledger")],
        description="Where the money went: per model with savings, per condition, per day.",
        automation_condition=when_inputs_change(),
        **shared,
    )
    def costs(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from itemeval_assets.core.money.spend import total_spend
        from itemeval_assets.report.plots.costs import bars_per_condition, bars_per_day

        with users_errors():
            found = stages.costs.costs(study, store_of(study, context, only_shows=True))
        pictures = {}
        if found.per_day:
            pictures = {
                "usd per condition": lambda: bars_per_condition(found.per_condition),
                "usd per day": lambda: bars_per_day(found.per_day),
            }
        total = total_spend(found.per_model)
        return dg.MaterializeResult(
            metadata={
                "usd": usd(total.usd),
                "usd at list price": usd(total.list_usd),
                **spend_table(found.per_model),
                **{name: picture(name, draw) for name, draw in pictures.items()},
            }
        )

    return costs
