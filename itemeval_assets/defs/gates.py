"""The gate of a study as an asset check: a failing one alerts."""

import os
from collections.abc import Iterator

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ItemevalAssetsError
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.steps import store_of

__all__ = ["GATE", "gate_checks"]

GATE = "gate"


def gate_checks(study: Study) -> Iterator[dg.AssetChecksDefinition]:
    """The check `gate` of the comparisons, where the YAML has `gate:`."""
    asked = study.config.gate
    if asked is None:
        return

    @dg.asset_check(
        asset=asset_key(study, "comparisons"),
        name=GATE,
        description=f"Not worse than {asked.against} by {asked.margin:g} or more (units of the "
        "score). An error is a FAIL, a warning INCONCLUSIVE: the items do not decide.",
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        # Late: definitions load without pandas and pyarrow.
        from itemeval_assets.measurement import MeasurementError
        from itemeval_assets.releases.gates import gate
        from itemeval_assets.stages.figures.planned import PlannedCells

        with users_errors():
            store = store_of(study, context)
            planned = PlannedCells(study, store, store.read("items"))
        try:
            found = gate(planned, asked)
        except (ItemevalAssetsError, MeasurementError) as error:
            said = without_secrets(f"no verdict: {error}", os.environ)
            return dg.AssetCheckResult(
                passed=False, severity=dg.AssetCheckSeverity.WARN, description=said
            )
        failed = found.verdict == "FAIL"
        lines = [f"{one.verdict} by {one.graded_by}: {one.says}" for one in found.judged]
        return dg.AssetCheckResult(
            passed=found.verdict == "PASS",
            severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
            description="\n".join(lines),
            metadata={"verdict": found.verdict, "against": found.against, "margin": found.margin},
        )

    yield check
