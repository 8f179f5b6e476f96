"""The asset that writes a study as one web page."""

from typing import Any

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.steps import store_of
from itemeval_assets.storage.study.layout import REPORT

from .automation import when_inputs_change


def report_asset(study: Study, shared: dict[str, Any]) -> Any:
    """Design, scores, comparisons, hardest items, costs and origin as HTML."""

    @dg.asset(
        key=asset_key(study, "report"),
        deps=[asset_key(study, "gradings_long"), asset_key(study, "ledger")],
        kinds={"html"},
        description="The study as one web page that needs nothing else: design, scores with their "
        "intervals, hardest items with answers, costs, what is not done, and origin.",
        automation_condition=when_inputs_change(),
        **shared,
    )
    def report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from itemeval_assets.report.study_report import study_report
        from itemeval_assets.stages.figures.planned import PlannedCells
        from itemeval_assets.stages.figures.report_facts import report_facts

        with users_errors():
            store = store_of(study, context)
            planned = PlannedCells(study, store, store.read("items"))
            text = study_report(report_facts(planned)).encode()
            store.backend.write(REPORT, text)
        uri = store.backend.uri(REPORT)
        return dg.MaterializeResult(
            metadata={"report": dg.MetadataValue.path(uri), "bytes": len(text)}
        )

    return report
