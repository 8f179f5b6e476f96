"""Asset checks: each wraps a pure rule, and names the partition and rows that break it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dagster as dg

from itemeval_assets import stages
from itemeval_assets.core.study import Partition, Study

from .names import asset_key, partition_key, to_partitions
from .partitions import generate_partitions, grade_partitions

if TYPE_CHECKING:
    from itemeval_assets.storage.store import ResultsStore

__all__ = ["study_checks"]

Offences = list[dict[str, Any]]
Rule = Callable[[Study, "ResultsStore", Partition], Offences]
SHOWN = 20


def study_checks(study: Study) -> list[dg.AssetChecksDefinition]:
    """All checks of a study. Blocking ones stop what lies downstream in the same run."""
    partitioned = [
        ("solutions", "keys_unique", _keys_unique("solutions"), True, "No key stands twice."),
        ("solutions", "no_errored_rows", _no_errored("solutions"), False, "No call failed."),
        ("solutions", "complete", _complete, False, "Every cell of the design has its row."),
        ("gradings", "keys_unique", _keys_unique("gradings"), True, "No key stands twice."),
        (
            "gradings",
            "parse_ok_invariant",
            _parse_ok,
            True,
            "parse_ok is false exactly when parse_error is set and score is null.",
        ),
        ("gradings", "no_errored_rows", _no_errored("gradings"), False, "No judge call failed."),
        ("gradings", "complete", _complete, False, "Every cell of the design has its row."),
        ("gradings_long", "keys_unique", _keys_unique("gradings_long"), True, "No key twice."),
    ]
    return [
        _dataset_unchanged(study),
        *(_partitioned(study, *spec) for spec in partitioned),
        _ledger_reconciles(study),
    ]


def _partitioned(
    study: Study, table: str, name: str, rule: Rule, blocking: bool, says: str
) -> dg.AssetChecksDefinition:
    """A check with one result per partition, also in a run over a range of them."""
    key = asset_key(study, table)
    single = table == "solutions"
    severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN

    @dg.asset_check(
        asset=key,
        name=name,
        blocking=blocking,
        description=says,
        partitions_def=generate_partitions(study) if single else grade_partitions(study),
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        order = study.generate_partitions() if single else study.grade_partitions()
        step = context.op_execution_context
        found = {}
        store = _store(study)
        for partition in to_partitions(step.partition_keys, order):
            offences = found[partition] = rule(study, store, partition)
            step.log_event(
                # Dagster takes it, though its annotation leaves it out.
                dg.AssetCheckEvaluation(  # pyright: ignore[reportArgumentType]
                    asset_key=key,
                    check_name=name,
                    passed=not offences,
                    severity=severity,
                    metadata=_shown(offences),
                    partition=partition_key(partition),
                )
            )
        broken = [partition for partition, offences in found.items() if offences]
        return dg.AssetCheckResult(
            passed=not broken,
            severity=severity,
            metadata={
                "partitions checked": len(found),
                "partitions failed": len(broken),
                **({"first failed": partition_key(broken[0])} if broken else {}),
            },
        )

    return check


def _dataset_unchanged(study: Study) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(study, "items"),
        name="dataset_unchanged",
        blocking=True,
        description="The data are those that the first run pinned.",
    )
    def check() -> dg.AssetCheckResult:
        changed = stages.items.changed_datasets(study, _store(study))
        offences = [
            {"dataset": id, "pinned": pinned, "now": now} for id, (pinned, now) in changed.items()
        ]
        return dg.AssetCheckResult(passed=not offences, metadata=_shown(offences))

    return check


def _ledger_reconciles(study: Study) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(study, "ledger"),
        name="ledger_reconciles",
        blocking=True,
        description="Per run and stage, the ledger equals the rows plus those they replaced: "
        "USD to 1e-6, tokens exactly.",
    )
    def check() -> dg.AssetCheckResult:
        offences = [found._asdict() for found in stages.ledger.mismatches(_store(study))]
        return dg.AssetCheckResult(passed=not offences, metadata=_shown(offences))

    return check


def _keys_unique(table: str) -> Rule:
    def rule(study: Study, store: "ResultsStore", partition: Partition) -> Offences:
        return _quality().repeated_keys(table, store.read(table, [partition]))

    return rule


def _no_errored(table: str) -> Rule:
    def rule(study: Study, store: "ResultsStore", partition: Partition) -> Offences:
        return _quality().errored_rows(store.read(table, [partition]))

    return rule


def _parse_ok(study: Study, store: "ResultsStore", partition: Partition) -> Offences:
    return _quality().parse_ok_violations(store.read("gradings", [partition]))


def _complete(study: Study, store: "ResultsStore", partition: Partition) -> Offences:
    return stages.status.incomplete_cells(study, store, partition)


def _quality() -> Any:
    # Late: definitions load without pyarrow.
    from itemeval_assets.core import quality

    return quality


def _shown(offences: Offences) -> dict[str, Any]:
    if not offences:
        return {}
    return {
        "offending rows": len(offences),
        "first of them": dg.MetadataValue.table(
            [dg.TableRecord({k: _cell(v) for k, v in row.items()}) for row in offences[:SHOWN]]
        ),
    }


def _cell(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _store(study: Study) -> "ResultsStore":
    # Late: definitions load without pyarrow.
    from itemeval_assets.storage.store import open_store

    return open_store(study)
