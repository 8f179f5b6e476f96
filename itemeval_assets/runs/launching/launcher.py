"""Starts Dagster runs of a study in this process, and reads what became of them."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import RunFailed, Stopped
from itemeval_assets.core.records.failures import FailedCheck
from itemeval_assets.dagster_io.execution import execute, first_failure, instance_of
from itemeval_assets.dagster_io.failures import failure_text, first_cause
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import (
    RANGE_END,
    RANGE_START,
    RESERVED_BY_TAG,
    STUDY_TAG,
    asset_key,
    step_name,
)
from itemeval_assets.dagster_io.results import ERROR, CallCounts, collecting
from itemeval_assets.dagster_io.steps import end_steps
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.defs.gates import GATE
from itemeval_assets.host.installation import how_to_call
from itemeval_assets.host.interrupts import INTERRUPTIONS
from itemeval_assets.settings import Settings

BLOCKED = "DagsterAssetCheckFailedError"


@dataclass
class Launcher:
    """Starts one Dagster run after another, and collects what they tell.

    `results`: {asset: what its last step did}. `gate`: what the gate of the study found, in one
    line, where it did not pass.
    """

    study: Study
    job: dg.JobDefinition
    instance: dg.DagsterInstance
    run_ids: list[str] = field(default_factory=list)
    recovered: int = 0
    held_back: int = 0
    failed_checks: list[FailedCheck] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    gate: str | None = None

    @classmethod
    @contextmanager
    def open(cls, study: Study) -> Iterator["Launcher"]:
        definitions = build_definitions(Settings(), [study])
        with instance_of(study.config_dir) as instance:
            yield cls(study, definitions.resolve_implicit_global_asset_job_def(), instance)

    def __call__(
        self,
        tables: Sequence[str],
        partitions: tuple[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        reserved_by: str | None = None,
    ) -> None:
        """Run these assets to their end. Raises the error of the first step that fails."""
        tags = {STUDY_TAG: self.study.name}
        if partitions:
            tags |= {RANGE_START: partitions[0], RANGE_END: partitions[1]}
        if reserved_by:
            tags[RESERVED_BY_TAG] = reserved_by
        run_config: dict[str, Any] = {}
        if config is not None:
            step = step_name(self.study, tables[0])
            # As a worker gets it: Dagster records plain data, and no enum of a caller.
            run_config["ops"] = {step: {"config": json.loads(json.dumps(dict(config)))}}
        with collecting() as told, warnings.catch_warnings():
            # In a notebook a loop is at work already, and Dagster cannot close its own.
            warnings.filterwarnings("ignore", "coroutine .*shutdown_asyncgens", RuntimeWarning)
            try:
                result = execute(
                    self.job,
                    self.instance,
                    run_config,
                    tags,
                    asset_selection=[asset_key(self.study, table) for table in tables],
                )
            finally:
                end_steps()
        self.run_ids.append(result.run_id)
        self._collect(result, told)
        if not result.success:
            raise told.get(ERROR) or _error_of(result)

    def _collect(self, result: dg.ExecuteInProcessResult, told: Mapping[str, Any]) -> None:
        self.results.update(told)
        counts = [found for found in told.values() if isinstance(found, CallCounts)]
        self.recovered += sum(found.recovered for found in counts)
        self.held_back += sum(found.held_back for found in counts)
        keys = PartitionKeys(self.study)
        for check in result.get_asset_check_evaluations():
            if check.check_name == GATE:
                self.gate = None if check.passed else _gate_words(self.study, check)
            elif not check.passed and check.partition is not None:
                [part] = self.study.named([keys.partition(check.partition)])
                failed = FailedCheck(check.asset_key.path[-1], check.check_name, *part)
                self.failed_checks.append(failed)


def _gate_words(study: Study, check: dg.AssetCheckEvaluation) -> str:
    """Its exit code is of the command `gate`: a run that made its calls has not failed."""
    found = check.metadata.get("verdict")
    verdict = str(found.value) if found else "no verdict"
    shown = how_to_call("itemeval-assets", "gate", str(study.config_path))
    return f"gate: {verdict} ({shown})"


def _error_of(result: dg.ExecuteInProcessResult) -> Exception:
    """What ended a run that no error for the user has ended."""
    event = first_failure(result)
    if event is None:
        return RunFailed(f"run {result.run_id} failed; see its page: itemeval-assets ui")
    error = event.step_failure_data.error
    if error is not None and error.cls_name == BLOCKED:
        return RunFailed(_failed_checks(result))
    if first_cause(event)[0] in INTERRUPTIONS:
        return Stopped()
    return RunFailed(
        f"run {result.run_id} failed in step {event.step_key}: {failure_text(event)[:600]}\n"
        "No stored result was lost. The page of the run has the details: itemeval-assets ui"
    )


def _failed_checks(result: dg.ExecuteInProcessResult) -> str:
    """The checks that ended a run, and what each has found."""
    lines = [
        f"check {check.check_name} of {check.asset_key.path[-1]} failed: {check.description}"
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.blocking
    ]
    return "\n".join([*lines, "No stored result was lost; later steps were not run"])
