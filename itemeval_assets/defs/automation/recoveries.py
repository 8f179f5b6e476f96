"""What is well again: runs, checks and studies that have failed, and by now do not."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.dagster_io.naming.partitions import partitions_of

from .ended_runs import Kind
from .messages import assets_of, loads_again_text, well_again_text
from .results_of_checks import results_of_checks

# Of a study: the assets of its failed runs, and its failing checks with their partitions.
Ailing = dict[str, dict[str, Any]]
_NOT_PARTITIONED = ""


def well_again(
    instance: dg.DagsterInstance,
    ailing: Ailing,
    run: tuple[str, Kind],
    studies: Mapping[str, Study],
    ui_url: str,
) -> Iterator[str]:
    """What to tell after a run: of each study, what has failed before and is well now.

    Remembers in `ailing` what this run leaves failing.
    """
    run_id, kind = run
    checks = _take_in_checks(instance, ailing, run_id, studies)
    assets = _take_in_assets(instance, ailing, run_id, kind, studies)
    for name in studies:
        if found := [*assets.get(name, []), *checks.get(name, [])]:
            yield well_again_text(name, found, run_id, ui_url)


def load_again(
    broken: list[str], broken_now: Collection[str], studies: Mapping[str, Study]
) -> Iterator[str]:
    """What to tell of studies that could not be loaded, and by now are; updates `broken`."""
    for study in studies.values():
        if str(study.config_path) in broken:
            yield loads_again_text(study.name, str(study.config_path))
    broken[:] = sorted(broken_now)


def _take_in_checks(
    instance: dg.DagsterInstance, ailing: Ailing, run_id: str, studies: Mapping[str, Study]
) -> dict[str, list[str]]:
    """The checks of each study that hold again in all partitions."""
    well: dict[str, list[str]] = {}
    for check, results in results_of_checks(instance, run_id, studies).items():
        study, failing = studies[check.asset_key.path[0]], _of(ailing, check.asset_key, "checks")
        name = f"{check.asset_key.path[-1]} {check.name}"
        before = set(failing.pop(name, ()))
        passed = {result.partition or _NOT_PARTITIONED for result in results if result.passed}
        failed = {result.partition or _NOT_PARTITIONED for result in results if not result.passed}
        # A condition that left the design is never checked again.
        now = (before & _known_partitions(study)) - passed | failed
        if now:
            failing[name] = sorted(now)
        elif before:
            well.setdefault(study.name, []).append(f"check {name} passes")
    return well


def _take_in_assets(
    instance: dg.DagsterInstance,
    ailing: Ailing,
    run_id: str,
    kind: Kind,
    studies: Mapping[str, Study],
) -> dict[str, list[str]]:
    """The assets of each study whose runs failed, and by now have succeeded everywhere."""
    well: dict[str, list[str]] = {}
    run = instance.get_run_by_id(run_id)
    for key in sorted(assets_of(instance, run)) if run else ():
        if key.path[0] not in studies:
            continue
        study, table = studies[key.path[0]], key.path[-1]
        failing = _of(ailing, key, "assets")
        if kind is Kind.RUN_FAILURE:
            failing[table] = run_id
            continue
        has_failed = kind is Kind.RUN_SUCCESS and table in failing
        if has_failed and not _fails_somewhere(instance, study, table):
            del failing[table]
            well.setdefault(study.name, []).append(f"runs of {table} succeed")
    return well


def _of(ailing: Ailing, key: dg.AssetKey, what: str) -> dict[str, Any]:
    found: dict[str, Any] = ailing.setdefault(key.path[0], {}).setdefault(what, {})
    return found


def _known_partitions(study: Study) -> set[str]:
    grids = [partitions_of(study, stage) for stage in study.stages]
    return {_NOT_PARTITIONED, *(key for grid in grids for key in grid.get_partition_keys())}


def _fails_somewhere(instance: dg.DagsterInstance, study: Study, table: str) -> bool:
    """Whether the last run of a partition failed; of a table without partitions, never."""
    for stage in study.stages:
        if table in stage.assets:
            grid = partitions_of(study, stage)
            keys = grid.get_partition_keys()
            found = instance.get_status_by_partition(asset_key(study, table), keys, grid)
            return AssetPartitionStatus.FAILED in (found or {}).values()
    return False
