"""Runs the function of an experiment on specs, without a run."""

from collections.abc import Callable, Iterable
from typing import Any

from itemeval_assets.experiments.outputs.shard_output import ShardOutput
from itemeval_assets.experiments.spec.function import ExperimentFunction
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.work.run_spec import StoreFile, run_spec


def run_specs(
    function: Callable[..., Any], specs: Iterable[ExperimentInputSpec], store_file: StoreFile
) -> ShardOutput:
    """What each spec leads to."""
    known = isinstance(function, ExperimentFunction)
    experiment = function if known else ExperimentFunction(function)
    return ShardOutput(run_spec(experiment, spec, store_file) for spec in specs)
