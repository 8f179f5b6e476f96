"""Asset checks: each wraps a pure rule, and names the partition and rows that break it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from itemeval_assets import stages
from itemeval_assets.core.design.partitions import GENERATE, GRADE, RUBRIC, Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import asset_key, step_name
from itemeval_assets.dagster_io.naming.partitions import partitions_of
from itemeval_assets.dagster_io.steps import store_of

from .gates import gate_checks

if TYPE_CHECKING:
    from itemeval_assets.storage.study.store import ResultsStore

Offences = list[dict[str, Any]]
Rule = Callable[[Study, "ResultsStore", Partition], Offences]
# A table, the name of the check, its rule, whether it blocks, and what it says.
_Spec = tuple[str, str, Rule, bool, str]
# How many offending rows, or failing partitions, a result lists; and how many it names in words.
_SHOWN, _NAMED = 20, 3
# Of a value in words. The ids of a partition are shorter; those of items may be anything.
_CHARACTERS = 240


def study_checks(study: Study) -> list[dg.AssetChecksDefinition]:
    """All checks of a study. Blocking ones stop what lies downstream in the same run."""
    unique = "No key occurs twice: {}."
    answered = (
        "No call failed: no row has an `error`. The next run of the partition tries again the "
        "cells that have one."
    )
    complete = (
        "Every cell (item x replication) that the policy of the run covers has a valid row. The "
        "next run of the partition fills the cells that are missing, errored or stale."
    )
    invariant = (
        "`parse_ok` is false exactly when `parse_error` is set and `score` is null "
        "(rows without `error`)."
    )
    partitioned: list[_Spec] = [
        ("solutions", "keys_unique", _keys_unique("solutions"), True, unique),
        ("solutions", "no_errored_rows", _no_errored("solutions"), False, answered),
        ("solutions", "complete", _complete, False, complete),
        *(_of_rubrics(unique, answered, complete) if study.design.written else ()),
        ("gradings", "keys_unique", _keys_unique("gradings"), True, unique),
        ("gradings", "parse_ok_invariant", _parse_ok, True, invariant),
        ("gradings", "no_errored_rows", _no_errored("gradings"), False, answered),
        ("gradings", "complete", _complete, False, complete),
        ("gradings_long", "keys_unique", _keys_unique("gradings_long"), True, unique),
    ]
    return [
        _dataset_unchanged(study),
        *(_partitioned(study, *spec) for spec in partitioned),
        _ledger_reconciles(study),
        *gate_checks(study),
    ]


def _of_rubrics(unique: str, answered: str, complete: str) -> list[_Spec]:
    """Where models write rubrics."""
    table = RUBRIC.table
    return [
        (table, "keys_unique", _keys_unique(table), True, unique),
        (table, "no_errored_rows", _no_errored(table), False, answered),
        (table, "complete", _complete, False, complete),
    ]


def _partitioned(
    study: Study, table: str, name: str, rule: Rule, blocking: bool, says: str
) -> dg.AssetChecksDefinition:
    """A check with one result per partition, whatever a run covers: one, a range, or no choice.

    The UI's "Execute all" makes no choice: then every stored partition is checked, and for
    completeness every one of the design.
    """
    key, keys = asset_key(study, table), PartitionKeys(study)
    stage = {GENERATE.table: GENERATE, RUBRIC.table: RUBRIC}.get(table, GRADE)
    severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN

    def check(context: dg.AssetCheckExecutionContext) -> Iterator[Any]:
        order = study.partitions_of(stage)
        step = context.op_execution_context
        # A run is judged by what it was asked for, not by what the YAML would ask for.
        policy = _policy_of(step.run, study, table)
        judge = partial(_complete, policy=policy) if rule is _complete else rule
        with users_errors():
            store = store_of(study, context)
            if step.has_partition_key or step.has_partition_key_range:
                partitions = keys.partitions(step.partition_keys, order)
            else:
                # What was never stored breaks no rule, but it is not complete.
                stored = set(order if rule is _complete else store.partitions(table))
                partitions = [partition for partition in order if partition in stored]
            found = {partition: judge(study, store, partition) for partition in partitions}
        latest = _latest(context.instance, key, set(map(keys.of, found)))
        # Failures last, and after a range a result of its own, which counts them: the UI shows
        # the result recorded last as the "latest execution", of whatever partition it is, and
        # one that passed must not hide one that failed. In the statuses of single partitions
        # the UI leaves the result of a range out of account.
        for partition, offences in sorted(found.items(), key=lambda result: bool(result[1])):
            yield dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=name,
                passed=not offences,
                severity=severity,
                description=_in_short(offences),
                metadata=_shown(offences),
                partition=keys.of(partition),
                target_materialization_data=latest.get(keys.of(partition)),
                blocking=blocking and len(found) == 1,
            )
        if len(found) != 1:
            by_key = {keys.of(partition): len(offences) for partition, offences in found.items()}
            yield _summary(key, name, by_key, severity, blocking)
        yield dg.Output(None)

    check.__name__ = name
    return dg.asset_check(
        asset=key,
        name=name,
        blocking=blocking,
        description=says.format(", ".join(TABLES[table].key)),
        partitions_def=partitions_of(study, stage),
    )(check)  # pyright: ignore[reportArgumentType]  # Dagster takes events, too


def _summary(
    key: dg.AssetKey,
    name: str,
    found: dict[str, int],
    severity: dg.AssetCheckSeverity,
    blocking: bool,
) -> dg.AssetCheckEvaluation:
    """The result of a range. It alone blocks, so that the run's error names the check once.

    `found`: by partition key, how many rows break the rule.
    """
    lines = [f"{partition}: {rows}" for partition, rows in found.items() if rows]
    failed = len(lines)
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    listed = "".join(f"\n- {line}" for line in [*lines[:_SHOWN], *more])
    return dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=name,
        passed=not failed,
        severity=severity,
        description=(
            f"Fails in {failed} of {len(found)} partitions; rows in each:\n{listed}"
            if failed
            else f"Holds in {len(found)} partitions."
        ),
        metadata={"partitions checked": len(found), "partitions failed": failed},
        blocking=blocking,
    )


def _latest(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: set[str]
) -> dict[str | None, AssetCheckEvaluationTargetMaterializationData]:
    """The materializations that results are about; the UI hides results of others, or of none."""
    stored = instance.get_latest_storage_id_by_partition(
        key, dg.DagsterEventType.ASSET_MATERIALIZATION, partitions
    )
    if not stored:
        return {}
    wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(stored.values()))
    return {
        record.partition_key: AssetCheckEvaluationTargetMaterializationData(
            run_id=record.event_log_entry.run_id,
            storage_id=record.storage_id,
            timestamp=record.timestamp,
        )
        for record in instance.fetch_materializations(wanted, limit=len(stored)).records
    }


def _dataset_unchanged(study: Study) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(study, "items"),
        name="dataset_unchanged",
        blocking=True,
        description="The data are those that the first run pinned.",
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with users_errors():
            store = store_of(study, context)
            changed = stages.items.changed_datasets(study, store)
        offences = [
            {"dataset": id, "pinned": pinned, "now": now} for id, (pinned, now) in changed.items()
        ]
        return dg.AssetCheckResult(
            passed=not offences, description=_in_short(offences), metadata=_shown(offences)
        )

    return check


def _ledger_reconciles(study: Study) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(study, "ledger"),
        name="ledger_reconciles",
        blocking=True,
        description="Per run and stage, the ledger equals the rows plus those they replaced: "
        "USD to 1e-6, tokens exactly.",
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with users_errors():
            store = store_of(study, context)
            judged = stages.ledger.judge(store)
            lost = stages.losses.losses(study, store) if judged.mismatches else []
            differ = dict.fromkeys(found.partition for found in judged.mismatches)
            gone = list(stages.unread.of_lost_rows(study, store, differ))
        offences = [
            {**found._asdict(), "stage": found.stage, "partition": " | ".join(found.partition)}
            for found in judged.mismatches
        ]
        words = [
            _in_short(offences),
            stages.losses.in_words(study, lost) if lost else None,
            stages.unread.in_words(study, gone),
        ]
        left = [" | ".join(partition) for partition in judged.in_progress]
        return dg.AssetCheckResult(
            passed=not offences,
            description="\n".join(filter(None, words)) or None,
            metadata={
                **_shown(offences),
                **({"not checked, runs in progress": left} if left else {}),
            },
        )

    return check


def _keys_unique(table: str) -> Rule:
    def rule(study: Study, store: "ResultsStore", partition: Partition) -> Offences:
        return _quality().repeated_keys(table, store.read(table, [partition], [*TABLES[table].key]))

    return rule


def _no_errored(table: str) -> Rule:
    def rule(study: Study, store: "ResultsStore", partition: Partition) -> Offences:
        columns = ["item_id", "epoch", "error"]
        return _quality().errored_rows(store.read(table, [partition], columns))

    return rule


def _parse_ok(study: Study, store: "ResultsStore", partition: Partition) -> Offences:
    quality = _quality()
    rows = store.read("gradings", [partition], quality.PARSED_COLUMNS)
    return quality.parse_ok_violations(rows)


def _complete(
    study: Study, store: "ResultsStore", partition: Partition, policy: str | None = None
) -> Offences:
    return stages.incomplete.incomplete_cells(study, store, partition, policy)


def _policy_of(run: dg.DagsterRun, study: Study, table: str) -> str | None:
    """The policy that a run's config names for the step of a table; null: that of the YAML."""
    steps: Any = run.run_config.get("ops", {})
    return steps.get(step_name(study, table), {}).get("config", {}).get("policy")


def _quality() -> Any:
    # Late: definitions load without pyarrow.
    from itemeval_assets.core.tables import quality

    return quality


def _shown(offences: Offences) -> dict[str, Any]:
    if not offences:
        return {}
    return {
        "offending rows": len(offences),
        "first of them": dg.MetadataValue.table(
            [dg.TableRecord({k: _cell(v) for k, v in row.items()}) for row in offences[:_SHOWN]]
        ),
    }


def _in_short(offences: Offences) -> str | None:
    """How many rows, and which are the first few. Errors are long: the metadata has them."""
    if not offences:
        return None
    few = [
        ", ".join(f"{name} {_brief(value)}" for name, value in row.items() if name != "error")
        for row in offences[:_NAMED]
    ]
    more = ["..."] if len(offences) > _NAMED else []
    return f"{len(offences)} row{'s'[: len(offences) > 1]}: {'; '.join([*few, *more])}"


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}..."


def _cell(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else str(value)
