"""The asset that writes the results of a study as single files."""

from typing import Any, cast

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import SCHEMA_VERSION
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.results import tell_result
from itemeval_assets.dagster_io.steps import store_of
from itemeval_assets.defs.shown.metadata import column_schema, spend_table, usd

from .automation import when_inputs_change


class ExportConfig(dg.Config):
    """What may be asked of an export.

    `for_spreadsheets`: add CSV files whose texts no spreadsheet takes for a formula.
    """

    for_spreadsheets: bool = False


def export_asset(study: Study, shared: dict[str, Any]) -> dg.AssetsDefinition:
    """gradings_long and the ledger as single files."""

    @dg.asset(
        key=asset_key(study, "export"),
        deps=[asset_key(study, "gradings_long"), asset_key(study, "ledger")],
        kinds={"parquet", "csv"},
        description="gradings_long and the ledger as single files, Parquet and CSV. Nothing is "
        "written if a table breaks a rule.",
        metadata=column_schema("gradings_long"),
        code_version=SCHEMA_VERSION,
        automation_condition=when_inputs_change(),
        **shared,
    )
    def export(context: dg.AssetExecutionContext, config: ExportConfig) -> dg.MaterializeResult:
        with users_errors():
            spreadsheets = config.for_spreadsheets
            result = stages.export.write(
                study,
                store_of(study, context),
                for_spreadsheets=spreadsheets,
            )
        tell_result("export", result)
        paths = {name: dg.MetadataValue.path(path) for name, path in result.paths.items()}
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": result.rows,
                "usd": usd(result.usd),
                "models without price": ", ".join(result.unpriced) or "none",
                **spend_table(result.spend),
                **paths,
            }
        )

    return cast(dg.AssetsDefinition, export)
