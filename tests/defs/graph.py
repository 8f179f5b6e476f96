"""The definitions of a code location as plain text, one fact per line: what a refactoring changes.

`python -m tests.defs.graph` writes the snapshot of a small study anew.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings
from tests.studies import write_study

__all__ = ["SNAPSHOT", "as_text", "small_location"]

SNAPSHOT = Path(__file__).with_name("graph.txt")


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


def as_text(definitions: dg.Definitions) -> str:
    """Assets with their checks, then jobs, schedules and sensors, in alphabetical order."""
    repository = definitions.get_repository_def()
    lines = [*_assets(repository), *_jobs(repository), *_schedules(repository)]
    return "\n".join([*lines, *_sensors(repository)]) + "\n"


def _assets(repository: dg.RepositoryDefinition) -> Iterator[str]:
    graph = repository.asset_graph
    for node in sorted(graph.asset_nodes, key=lambda node: node.key.to_user_string()):
        yield f"asset {node.key.to_user_string()}"
        facts: dict[str, Any] = {
            "group": node.group_name,
            "deps": _names(node.parent_keys),
            "partitions": _partitions(node.partitions_def),
            "backfill": _backfill(node.backfill_policy),
            "kinds": ", ".join(sorted(node.kinds)),
            "pools": ", ".join(sorted(node.pools or ())),
            "code version": node.code_version,
            "owners": ", ".join(node.owners),
            "automation": _automation(node.automation_condition),
            "materializable": None if node.is_materializable else "no",
        }
        yield from (f"  {name}: {value}" for name, value in facts.items() if value)
        for key in sorted(node.check_keys, key=lambda key: key.name):
            check = graph.get_check_spec(key)
            blocks = "blocking" if check.blocking else "warning"
            grid = _partitions(check.partitions_def)
            yield f"  check: {key.name} ({blocks}{', ' + grid if grid else ''})"


def _jobs(repository: dg.RepositoryDefinition) -> Iterator[str]:
    yield from (f"job {name}" for name in sorted(repository.job_names))


def _schedules(repository: dg.RepositoryDefinition) -> Iterator[str]:
    for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name):
        state = schedule.default_status.value
        yield f"schedule {schedule.name}: {schedule.cron_schedule} ({schedule.job_name}, {state})"


def _sensors(repository: dg.RepositoryDefinition) -> Iterator[str]:
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name):
        target = sensor.asset_selection
        about = f"{sensor.sensor_type.name}, {sensor.default_status.value}"
        yield f"sensor {sensor.name}: {about}{f', {target}' if target else ''}"


def _names(keys: Any) -> str:
    return ", ".join(sorted(key.to_user_string() for key in keys))


def _partitions(grid: dg.PartitionsDefinition | None) -> str | None:
    if isinstance(grid, dg.MultiPartitionsDefinition):
        return " x ".join(
            f"{dimension.name} {len(dimension.partitions_def.get_partition_keys())}"
            for dimension in grid.partitions_defs
        )
    return f"{len(grid.get_partition_keys())}" if grid else None


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
        SNAPSHOT.write_text(as_text(small_location(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
