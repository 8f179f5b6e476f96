"""The asset that publishes a study: each new materialization a version, never an overwrite."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.results import tell_result
from itemeval_assets.dagster_io.steps import store_of

if TYPE_CHECKING:
    from itemeval_assets.core.records.published.releases import Release


class ReleaseConfig(dg.Config):
    """What may be asked of a release.

    `version`: bumpmajor, bumpminor or bumppatch, or a version such as 2.0.0; null chooses by what
    changed since the release before.
    """

    version: str | None = None


def release_asset(study: Study, shared: dict[str, Any]) -> Any:
    """The study as a version of the experiment that bears its name."""

    @dg.asset(
        key=asset_key(study, "release"),
        deps=[asset_key(study, "gradings_long"), asset_key(study, "ledger")],
        kinds={"parquet"},
        description="The study published as a version of an experiment: all frames, the .eval "
        "logs, the manifests and a README.md. Published runs are never overwritten.",
        **shared,
    )
    def release(context: dg.AssetExecutionContext, config: ReleaseConfig) -> dg.MaterializeResult:
        from itemeval_assets.releases import publish_release, storage_for

        with users_errors():
            found, rows = publish_release(
                study,
                store_of(study, context),
                storage_for(study),
                run_id=context.op_execution_context.run_id,
                version=config.version,
                say=context.log.info,
            )
        tell_result("release", found)
        return dg.MaterializeResult(
            metadata={**_metadata(found, rows), "bucket": found.bucket},
            data_version=dg.DataVersion(found.experiment_id),
        )

    return release


def _metadata(found: "Release", rows: Mapping[str, int]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "experiment_id": found.experiment_id,
        "version": found.version,
        "published": dg.MetadataValue.path(found.uri),
        "is new": found.is_new,
        "cells": found.cells,
        "events": found.events,
        "cells without a valid event": found.missing,
    }
    if rows:
        metadata["frames"] = dg.MetadataValue.table(
            [dg.TableRecord({"frame": name, "rows": count}) for name, count in rows.items()]
        )
    return metadata
