"""Runs of a study's assets and checks as Dagster makes them, in this process."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.names import asset_key
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.settings import Settings
from itemeval_assets.storage.study.store import ResultsStore, open_store
from tests.studies import write_study

__all__ = [
    "GRADINGS",
    "SOLUTIONS",
    "Runs",
    "failed",
    "finish",
    "message",
    "planted",
    "runs_of",
    "toy_study",
]

SOLUTIONS = ("solutions", "generation_ledger")
GRADINGS = ("gradings", "grading_ledger", "gradings_long")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dataclass
class Runs:
    """A study, its job, and the instance that keeps its history."""

    study: Study
    instance: dg.DagsterInstance
    job: dg.JobDefinition

    @property
    def store(self) -> ResultsStore:
        return open_store(self.study)

    @property
    def keys(self) -> PartitionKeys:
        return PartitionKeys(self.study)

    def run(
        self,
        assets: Sequence[str] = (),
        *,
        checks: Sequence[str] = (),
        only: Partition | None = None,
        span: list[Partition] | None = None,
        config: dict[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """One run: of one partition, of a range (first and last of `span`), or of none.

        `checks` names assets whose checks run without the assets.
        """
        ends = [self.keys.of(span[0]), self.keys.of(span[-1])] if span else []
        job = self.job
        if checks:
            wanted = {asset_key(self.study, name) for name in checks}
            keys = job.asset_layer.asset_graph.asset_check_keys
            job = job.get_subset(
                asset_selection=set(),
                asset_check_selection={key for key in keys if key.asset_key in wanted},
            )
        ops = {f"{self.study.name}__{assets[0]}": {"config": config}} if config else {}
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=[asset_key(self.study, name) for name in assets] or None,
            partition_key=self.keys.of(only) if only else None,
            tags={**dict(zip(RANGE, ends, strict=False)), **(tags or {})},
            run_config={**QUIET, "ops": ops},
            raise_on_error=False,
        )

    def metadata(self, asset: str) -> dict[Partition, dict[str, Any]]:
        """The metadata of the latest materialization of each partition."""
        key = asset_key(self.study, asset)
        latest: dict[Partition, dict[str, Any]] = {}
        for record in self.instance.fetch_materializations(key, limit=200).records:
            found = record.asset_materialization
            assert found is not None
            partition = self.keys.partition(found.partition or "")
            latest.setdefault(partition, {k: _plain(v) for k, v in found.metadata.items()})
        return latest


def _plain(value: dg.MetadataValue) -> Any:
    return value if isinstance(value, dg.TableMetadataValue) else value.value


def toy_study(folder: Path, **changes: Any) -> Study:
    """Two models x two prompts, a scorer and a judge, three items."""
    given = {"models": ["mockllm/a", "mockllm/b"], "prompts": ["short", "long"], "items": 3}
    extra = {"cache": False, **changes.pop("extra", {})}
    return load_study(write_study(folder, **{**given, **changes}, extra=extra))


@contextmanager
def runs_of(study: Study, *, on_disk: bool = False) -> Iterator[Runs]:
    """Runs that leave their history in a Dagster home beside the study, or in memory: faster."""
    job = build_definitions(Settings(), [study]).resolve_implicit_global_asset_job_def()
    with _instance(study.config_dir / "dagster_home", on_disk) as instance:
        yield Runs(study, instance, job)


def _instance(home: Path, on_disk: bool) -> dg.DagsterInstance:
    if not on_disk:
        return dg.DagsterInstance.ephemeral()
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return dg.DagsterInstance.from_config(str(home))


def finish(runs: Runs) -> None:
    """Run everything, each stage as one range."""
    for result in (
        runs.run(["items"]),
        runs.run(SOLUTIONS, span=runs.study.generate_partitions()),
        runs.run(GRADINGS, span=runs.study.grade_partitions()),
        runs.run(["ledger", "export"]),
    ):
        assert result.success, message(result)


def planted(runs: Runs, table: str, partition: Partition, rows: list[dict[str, Any]]) -> None:
    """Put these rows into a partition's file, past the store and its rules."""
    path = Path(runs.store.uri(table, partition))
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)


def failed(result: dg.ExecuteInProcessResult) -> set[tuple[str, str, str | None]]:
    """(asset, check, partition) of every result that did not pass."""
    return {
        (found.asset_key.path[-1], found.check_name, found.partition)
        for found in result.get_asset_check_evaluations()
        if not found.passed
    }


def message(result: dg.ExecuteInProcessResult) -> str:
    """What the first failed step says to the user."""
    for event in result.all_node_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None and data.user_failure_data.description:
                return data.user_failure_data.description
            return data.error.message if data.error else ""
    return ""
