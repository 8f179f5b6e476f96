"""The definitions of a small study as YAML: a refactoring shows here what it changes.

`python -m tests.defs.graph` writes the snapshot anew.
"""

import tempfile
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings
from tests.studies import write_study

__all__ = ["SNAPSHOT", "as_yaml", "small_location"]

SNAPSHOT = Path(__file__).with_name("graph.yaml")


def small_location(folder: Path) -> dg.Definitions:
    """A study with a scorer and a judge, as a code location loads it."""
    write_study(
        folder,
        study="toy-1",
        models=["openai-api/lab/a", "mockllm/b"],
        prompts=["short", "long"],
        graders=["openai-api/lab/judge"],
    )
    settings = {"webhook_url": "https://hooks.invalid/x", "owners": "team:evals"}
    return build_definitions(Settings(root=folder, **settings))  # type: ignore[arg-type]


def as_yaml(definitions: dg.Definitions) -> str:
    """Assets with their checks, jobs, schedules and sensors, each by its name."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    document = {
        "partitions": _keys(graph),
        "assets": {node.key.to_user_string(): _asset(graph, node) for node in graph.asset_nodes},
        "jobs": sorted(repository.job_names),
        "schedules": {found.name: _schedule(found) for found in repository.schedule_defs},
        "sensors": {found.name: _sensor(found) for found in repository.sensor_defs},
    }
    return yaml.safe_dump(document, width=100)


def _asset(graph: Any, node: Any) -> dict[str, Any]:
    mappings = node.partition_mappings.items()
    facts = {
        "group": node.group_name,
        "deps": sorted(key.to_user_string() for key in node.parent_keys),
        "partitions": _partitions(node.partitions_def),
        "partition mappings": {key.to_user_string(): _mapping(found) for key, found in mappings},
        "backfill": _backfill(node.backfill_policy),
        "kinds": sorted(node.kinds),
        "pools": sorted(node.pools or ()),
        "code version": node.code_version,
        "owners": list(node.owners),
        "automation": _automation(node.automation_condition),
        "materializable": None if node.is_materializable else False,
        "checks": {key.name: _check(graph.get_check_spec(key)) for key in node.check_keys},
    }
    return {name: value for name, value in facts.items() if value not in (None, [], {})}


def _check(check: dg.AssetCheckSpec) -> dict[str, Any]:
    partitions = _partitions(check.partitions_def)
    return {"blocking": check.blocking, **({"partitions": partitions} if partitions else {})}


def _schedule(schedule: dg.ScheduleDefinition) -> dict[str, Any]:
    return {
        "cron": schedule.cron_schedule,
        "job": schedule.job_name,
        "default": schedule.default_status.value,
    }


def _sensor(sensor: dg.SensorDefinition) -> dict[str, Any]:
    target = {"assets": str(sensor.asset_selection)} if sensor.asset_selection else {}
    return {"type": sensor.sensor_type.name, "default": sensor.default_status.value, **target}


def _partitions(grid: dg.PartitionsDefinition | None) -> str | None:
    """The dimensions of partitions, by their names; one dimension has none."""
    if isinstance(grid, dg.MultiPartitionsDefinition):
        return " x ".join(dimension.name for dimension in grid.partitions_defs)
    return "generate" if grid else None


def _keys(graph: Any) -> dict[str, list[str]]:
    """The keys of each kind of partitions, which all assets of that kind have."""
    found: dict[str, list[str]] = {}
    for node in graph.asset_nodes:
        if (kind := _partitions(node.partitions_def)) is not None:
            keys = [str.__str__(key) for key in node.partitions_def.get_partition_keys()]
            assert found.setdefault(kind, keys) == keys, node.key
    return found


def _mapping(mapping: dg.PartitionMapping) -> str:
    dimension = getattr(mapping, "partition_dimension_name", None)
    return f"{type(mapping).__name__} {dimension or ''}".strip()


def _automation(condition: dg.AutomationCondition | None) -> str | None:
    """Dagster's own `eager` by its name, anything else by its parts."""
    if condition is None or condition == dg.AutomationCondition.eager():
        return condition and "eager"
    inner = ", ".join(filter(None, (_automation(child) for child in condition.children)))
    return f"{condition.name}({inner})" if inner else condition.name


def _backfill(policy: dg.BackfillPolicy | None) -> str | None:
    return policy and f"{policy.policy_type.name} {policy.max_partitions_per_run or ''}".strip()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        SNAPSHOT.write_text(as_yaml(small_location(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
