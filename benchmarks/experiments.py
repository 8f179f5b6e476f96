"""How fast a run of an experiment is, beside a Dagster op per spec; and what gathering takes.

    uv run python benchmarks/experiments.py [--specs 10000] [--ops 100] [--trials 3] [--json]

Both run in this process, on an ephemeral instance, so that the ratio is of one machine and one
moment; the best trial counts, because a busy machine only ever adds time. An op per spec is
measured on `--ops` specs; its time per spec is what is compared.

The memory is what Arrow has allocated at its highest while the frames of a run are gathered,
beside the size of these frames in memory: it grows with the largest shard, not with the run.
"""

import argparse
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    ExperimentRunSettings,
    ExperimentStorageSettings,
    experiment,
)
from itemeval_assets.experiments.work import gather_run

FRAME_ROWS = 200


class Case(ExperimentInputSpec):
    """A number."""

    x: int


class Result(ExperimentOutputSpec):
    """Its square."""

    square: int


@experiment
def trivial(spec: Case) -> Result:
    """Next to nothing, so that the time is that of everything around it."""
    return Result(square=spec.x**2)


@experiment
def with_frame(spec: Case) -> Result:
    """A frame of some rows per spec, so that there is something to gather."""
    frame = pd.DataFrame({"value": [float(spec.x + n) for n in range(FRAME_ROWS)]})
    return Result(square=spec.x, dataframes={"rows": frame})


def seconds_of_run(storage: ExperimentStorageSettings, specs: int) -> float:
    """From allocate() to the end of the run, results gathered."""
    cases = [Case(x=n) for n in range(specs)]
    with dg.DagsterInstance.ephemeral() as instance:
        start = time.perf_counter()
        _, ref = BaseExperiment(trivial, storage_settings=storage).allocate(
            cases, instance=instance
        )
        scalars = ref.result()
        seconds = time.perf_counter() - start
    assert len(scalars) == specs
    return seconds


def seconds_per_op(ops: int) -> float:
    """A Dagster job of an op per spec, which does the same: its time per spec."""

    @dg.op(out=dg.DynamicOut(int))
    def cases() -> Iterator[dg.DynamicOutput[int]]:
        for n in range(ops):
            yield dg.DynamicOutput(n, mapping_key=str(n))

    @dg.op
    def square(x: int) -> int:
        return trivial(Case(x=x)).square

    @dg.op
    def collect(found: list[int]) -> int:
        return len(found)

    @dg.job(resource_defs={"io_manager": dg.mem_io_manager})
    def op_per_spec() -> None:
        collect(cases().map(square).collect())

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        start = time.perf_counter()
        result = op_per_spec.execute_in_process(instance=instance, run_config=quiet)
        seconds = time.perf_counter() - start
    assert result.output_for_node("collect") == ops
    return seconds / ops


def gather_memory(storage: ExperimentStorageSettings, shards: int) -> tuple[int, int]:
    """(most bytes allocated while gathering, bytes of the gathered frames in memory)."""
    settings = ExperimentRunSettings(shard_size=100)
    cases = [Case(x=n) for n in range(100 * shards)]
    with dg.DagsterInstance.ephemeral() as instance:
        run, ref = BaseExperiment(with_frame, storage_settings=storage).allocate(
            cases, run_settings=settings, instance=instance
        )
        ref.result()
    usual = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(pool)
    try:
        gather_run(run)
    finally:
        pa.set_memory_pool(usual)
    files = [Path(run.backend.local_copy(key)) for key in run.list_results_files().values()]
    size = sum(pq.ParquetFile(path).read(use_threads=False).nbytes for path in files)
    return pool.max_memory(), size


def measure(specs: int, ops: int, trials: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        storage = ExperimentStorageSettings(BUCKET=folder)
        seconds_of_run(storage, 10)  # loads what is loaded once
        seconds = min(seconds_of_run(storage, specs) for _ in range(trials))
        op_seconds = min(seconds_per_op(ops) for _ in range(trials))
        few, few_size = gather_memory(storage, 5)
        many, many_size = gather_memory(storage, 50)
    return {
        "specs": specs,
        "seconds": round(seconds, 2),
        "seconds_of_an_op_per_spec": round(op_seconds * specs, 1),
        "ratio": round(op_seconds * specs / seconds, 1),
        "gather_peak_mb": {"5 shards": _mb(few), "50 shards": _mb(many)},
        "gathered_mb": {"5 shards": _mb(few_size), "50 shards": _mb(many_size)},
        "peak_growth": round(many / few, 2),
    }


def _mb(count: int) -> float:
    return round(count / 1e6, 1)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--specs", type=int, default=10_000)
    parser.add_argument("--ops", type=int, default=100)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
    logging.disable(logging.WARNING)
    result = measure(given.specs, given.ops, given.trials)
    if given.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<28} {value}")


if __name__ == "__main__":
    main()
