"""What follows by itself while the sensor of a study is on: all that is free.

Models are called without a hand only where the study says `automation.paid: true`; the gate
stands before those calls as before all others.
"""

from collections.abc import Iterable

import dagster as dg

from itemeval_assets.core.design.partitions import RUBRIC
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import asset_key, identifier


class _Among(dg.AutomationCondition):
    """True for these partitions, whatever happens to others."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = frozenset(keys)

    @property
    def name(self) -> str:
        return "among"

    @property
    def description(self) -> str:
        return f"one of the {len(self.keys)} partitions that make no paid call"

    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        return dg.AutomationResult(
            context,
            true_subset=context.candidate_subset.compute_intersection_with_partition_keys(
                set(self.keys)
            ),
        )


def when_inputs_change(perhaps: Iterable[dg.AssetKey] = ()) -> dg.AutomationCondition:
    """Of an asset that costs nothing: as soon as what it is made of has changed.

    Inputs that are only `perhaps` there are not waited for.
    """
    missing = dg.AutomationCondition.any_deps_missing()
    waited_for = missing.ignore(dg.AssetSelection.assets(*perhaps)) if perhaps else missing
    return dg.AutomationCondition.eager().replace(missing, waited_for)


def when_paid(study: Study) -> dg.AutomationCondition | None:
    """Of an asset that calls models: only where the study allows it."""
    return dg.AutomationCondition.eager() if study.config.automation.paid else None


def when_free_or_paid(study: Study) -> dg.AutomationCondition | None:
    """Of gradings: those without a call always, the others only where the study allows it."""
    if study.config.automation.paid:
        return dg.AutomationCondition.eager()
    design = study.design
    free = [
        part
        for part in study.grade_partitions()
        if design.is_free(part) and not design.is_rated(part) and not design.total_of(part)
    ]
    keys = frozenset(map(PartitionKeys(study).of, free))
    # Rubrics that models write are paid for, and nothing free is graded by them.
    rubrics = [asset_key(study, RUBRIC.table)] if design.written else []
    return _Among(keys) & when_inputs_change(perhaps=rubrics) if keys else None


def automation_sensor(study: Study, group: str) -> dg.AutomationConditionSensorDefinition:
    """The sensor that follows the conditions of a study."""
    automation, status = study.config.automation, dg.DefaultSensorStatus
    target = dg.AssetSelection.groups(group)
    if group != identifier(study):  # another study may be in it
        target &= dg.AssetSelection.key_prefixes([study.name])
    return dg.AutomationConditionSensorDefinition(
        f"{identifier(study)}_automation",
        target=target,
        default_status=status.RUNNING if automation.started else status.STOPPED,
        minimum_interval_seconds=30,
        use_user_code_server=True,
        description="Updates the results whose inputs have changed. "
        f"{'Makes paid calls, too' if automation.paid else 'Makes no paid call'} "
        "(automation.paid).",
    )
