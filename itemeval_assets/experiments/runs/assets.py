"""The Dagster side: an asset per experiment, whose partitions are its published runs.

The ops of a run share nothing but the bucket: what passes between them is the number of a
shard, in the key of a dynamic output. So any executor can run them, on any machines.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import cache
from typing import Any

import dagster as dg

from itemeval_assets.core.errors import Stopped
from itemeval_assets.dagster_io.failures import users_errors
from itemeval_assets.experiments.layout.settings import (
    ExperimentRunSettings,
    ExperimentStorageSettings,
    storage_settings,
)
from itemeval_assets.experiments.read.run import ExperimentRun
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.work.partitions import run_of_partition
from itemeval_assets.experiments.work.shards import gather_run, pending_shards, run_shard
from itemeval_assets.experiments.work.workers.runner import SpecRunner

from .messages import all_failed, error_rows, run_metadata

STORAGE = "experiment_storage"
_RUNNER = "experiment_runner"
_CHECK = "every_spec_succeeded"
_GROUP = "experiments"
_SHARD = "shard_"


class ExperimentStorage(dg.ConfigurableResource):
    """The bucket or folder of a Dagster run; what is not set comes from the environment."""

    bucket: str | None = None
    bucket_prefix: str | None = None

    def settings(self) -> ExperimentStorageSettings:
        return storage_settings(self.bucket, self.bucket_prefix)


def _runner_resource(settings: ExperimentRunSettings | None = None) -> dg.ResourceDefinition:
    """What runs the specs of all ops of a process; settings default to the environment's."""

    @dg.resource(description="Runs specs, each in the process of the op or in one of its own.")
    def experiment_runner() -> Iterator[SpecRunner]:
        with closing(SpecRunner(settings)) as runner:
            yield runner

    return experiment_runner


def partitions_name(experiment: ExperimentFunction) -> str:
    """The name of the dynamic partitions; a partition is `<version>/<timestamp>`."""
    return f"experiment_{experiment.identifier}"


def job_name(experiment: ExperimentFunction) -> str:
    return f"run_{experiment.identifier}"


@cache
def experiment_asset(experiment: ExperimentFunction) -> dg.AssetsDefinition:
    """scatter -> a shard per op -> gather. A run again fills what is missing, no more."""
    name = experiment.identifier

    @dg.op(name=f"{name}_scatter", out=dg.DynamicOut(dg.Nothing))
    def scatter(
        context: dg.OpExecutionContext,
        experiment_storage: ExperimentStorage,
        experiment_runner: dg.ResourceParam[SpecRunner],
    ) -> Iterator[dg.DynamicOutput[None]]:
        run = _run(experiment, context.partition_key, experiment_storage)
        with users_errors():
            shards = pending_shards(run)
        specs = sum(shards.values())
        experiment_runner.watch.total = specs
        context.log.info(f"{run.experiment_id}: {specs} specs in {len(shards)} shards to run")
        for shard in shards:
            yield dg.DynamicOutput(None, mapping_key=f"{_SHARD}{shard:05d}")

    @dg.op(name=f"{name}_shard", ins={"start": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
    def shard(
        context: dg.OpExecutionContext,
        experiment_storage: ExperimentStorage,
        experiment_runner: dg.ResourceParam[SpecRunner],
    ) -> None:
        key = context.get_mapping_key()
        assert key is not None
        run = _run(experiment, context.partition_key, experiment_storage)
        number = int(key.removeprefix(_SHARD))
        with users_errors():
            try:
                succeeded, failed = run_shard(run, number, experiment_runner, context.log.info)
            except Stopped as stopped:
                # Else Dagster calls a run that somebody wanted to end a failure.
                context.instance.report_run_canceling(context.run)
                raise dg.DagsterExecutionInterruptedError(str(stopped)) from None
        context.log.info(f"{key}: {succeeded} specs succeeded, {failed} failed")

    @dg.op(name=f"{name}_gather", ins={"shards": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
    def gather(context: dg.OpExecutionContext, experiment_storage: ExperimentStorage) -> None:
        run = _run(experiment, context.partition_key, experiment_storage)
        with users_errors():
            found = gather_run(run)
            if not found.succeeded:
                raise all_failed(run)
            context.add_output_metadata(run_metadata(run))

    @dg.graph_asset(
        name=name,
        description=experiment.description,
        group_name=_GROUP,
        partitions_def=dg.DynamicPartitionsDefinition(name=partitions_name(experiment)),
        kinds={"python", "parquet"},
    )
    def asset() -> Any:
        return gather(scatter().map(lambda start: shard(start=start)).collect())

    return asset


@cache
def experiment_check(experiment: ExperimentFunction) -> dg.AssetChecksDefinition:
    """A warning that lists the specs of a run that failed."""
    asset = experiment_asset(experiment)

    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        step = context.op_execution_context
        run = _run(experiment, step.partition_key, getattr(step.resources, STORAGE))
        with users_errors():
            failed = run.status().failed or 0
            rows = error_rows(run) if failed else None
        return dg.AssetCheckResult(
            passed=not failed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"failed specs": failed, **({"errors": rows} if rows else {})},
        )

    with warnings.catch_warnings():
        # Dagster calls checks of partitions a preview; their users can do nothing about it.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.asset_check(
            asset=asset,
            name=_CHECK,
            description="No spec of the run failed. Materialize the partition again to retry "
            "just the specs that did.",
            partitions_def=asset.partitions_def,
            required_resource_keys={STORAGE},
        )(check)


def experiment_definitions(
    experiments: Iterable[ExperimentFunction],
    storage: ExperimentStorage | None = None,
    run_settings: ExperimentRunSettings | None = None,
    runner: SpecRunner | None = None,
) -> dg.Definitions:
    """The definitions of a code location: per experiment an asset, its check, and a job.

    `storage` and `run_settings` default to those of the environment. `runner` is for who runs a
    job in this process, and wants to know how far it is.
    """
    chosen = list(experiments)
    assets = [experiment_asset(experiment) for experiment in chosen]
    return dg.Definitions(
        assets=assets,
        asset_checks=[experiment_check(experiment) for experiment in chosen],
        jobs=[
            dg.define_asset_job(job_name(experiment), dg.AssetSelection.assets(asset))
            for experiment, asset in zip(chosen, assets, strict=True)
        ],
        resources={
            STORAGE: storage or ExperimentStorage(),
            _RUNNER: dg.ResourceDefinition.hardcoded_resource(runner)
            if runner
            else _runner_resource(run_settings),
        },
    )


def _run(
    experiment: ExperimentFunction, partition: str, storage: ExperimentStorage
) -> ExperimentRun:
    with users_errors():
        return run_of_partition(experiment, partition, storage.settings())
