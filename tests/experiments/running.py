"""Runs the function of an experiment on specs, without a run."""

from collections.abc import Callable, Iterable
from typing import Any

from itemeval_assets.experiments.outcomes import StoreFile, run_spec
from itemeval_assets.experiments.shard import ShardOutput
from itemeval_assets.experiments.signature import signature_of
from itemeval_assets.experiments.spec import ExperimentInputSpec


def run_specs(
    function: Callable[..., Any], specs: Iterable[ExperimentInputSpec], store_file: StoreFile
) -> ShardOutput:
    """What each spec leads to."""
    signature = signature_of(function)
    return ShardOutput(run_spec(function, signature, spec, store_file) for spec in specs)
