"""How runs of experiments grow: with specs, with columns of a frame, with the length of a shard.

    python -m benchmarks.cases.growth.experiments [--specs 100000] [--columns 8760] [--shard 2000]

Each figure is of a process of its own, specs in it too, from allocate() to the end of the run with
its results gathered; imports and a first small run come before. The small of two compared runs is
the better of two, because a busy machine only ever adds time. Memory is the peak of the process.
"""

import argparse
import json
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from benchmarks.processes import measure
from benchmarks.targets import Target, report
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    ExperimentRunSettings,
    ExperimentStorageSettings,
    experiment,
)
from itemeval_assets.experiments.work.shards import gather_run

ROOT = Path(__file__).parents[3]
WIDE_SPECS = 20
FRAME_ROWS = 200
OPS = 100


class Case(ExperimentInputSpec):
    """A number, and how many columns its frame has."""

    x: int
    columns: int = 0


class Result(ExperimentOutputSpec):
    """Its square."""

    square: int


@experiment
def trivial(spec: Case) -> Result:
    """Next to nothing, so that the time is that of everything around it."""
    return Result(square=spec.x**2)


@experiment
def with_frame(spec: Case) -> Result:
    """A frame of one row and many columns, or of one column and some rows."""
    shape = (1, spec.columns) if spec.columns else (FRAME_ROWS, 1)
    values = np.full(shape, float(spec.x))
    frame = pd.DataFrame(values, columns=[f"h{n}" for n in range(shape[1])])
    return Result(square=spec.x**2, dataframes={"rows": frame})


def main() -> None:
    """Measure, and report ratios of seconds and of peaks."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--specs", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=8_760)
    parser.add_argument("--shard", type=int, default=2_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_specs(Path(folder) / str(n), n) for n in (given.specs // 10, given.specs))
        narrow, wide = (_best("columns", n) for n in (given.columns // 8, given.columns))
        short, long = (_best("shard", n) for n in (given.shard // 10, given.shard))
        ops = _best("ops", OPS)
    report(
        [
            _slope("specs of an experiment", few, many, 1.3),
            Target(
                "memory of an experiment's specs",
                many["peak_mb"] / few["peak_mb"],
                3,
                f"peak at {many['n']:,} specs / at {few['n']:,}",
            ),
            Target(
                "memory of an experiment's gather",
                many["gather_peak_mb"] / few["gather_peak_mb"],
                1.15,
                f"peak at {many['n']:,} specs / at {few['n']:,}",
            ),
            _slope("columns of an experiment's frame", narrow, wide, 1.3),
            Target(f"{wide['n']:,} columns x {WIDE_SPECS} specs, s", wide["seconds"], 5, "a run"),
            _slope("specs of an experiment's shard", short, long, 1.3),
            Target(
                "specs of an experiment, beside an op each",
                (ops["seconds"] / ops["n"]) / (few["seconds"] / few["n"]),
                10,
                f"seconds of a Dagster op per spec / of a run of {few['n']:,} specs, per spec",
                at_least=True,
            ),
        ],
        specs=[few, many],
        columns=[narrow, wide],
        shard=[short, long],
        ops=ops,
    )


def _slope(name: str, small: dict[str, Any], large: dict[str, Any], bound: float) -> Target:
    ratio = (large["seconds"] / large["n"]) / (small["seconds"] / small["n"])
    how = f"seconds per one at {large['n']:,} / at {small['n']:,}"
    return Target(name, ratio, bound, how)


def _specs(folder: Path, specs: int) -> dict[str, Any]:
    """A run of specs, and gathering it again in a process that does nothing else."""
    found = _best("specs", specs, folder)
    gathered = _process("gather", specs, folder)
    return {
        **found,
        "gather_s": gathered["seconds"],
        "gather_peak_mb": gathered["peak_mb"],
    }


def _best(what: str, n: int, folder: Path | None = None) -> dict[str, Any]:
    """The faster of two runs."""
    runs = [_process(what, n, folder) for _ in range(2)]
    return min(runs, key=lambda run: run["seconds"])


def _process(what: str, n: int, folder: Path | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.cases.growth.experiments", "--one", what, str(n)]
    with tempfile.TemporaryDirectory() as own:
        done = measure([*command, str(folder or own)], ROOT, {"DAGSTER_DISABLE_TELEMETRY": "true"})
    return {"n": n, **json.loads(done.output)}


def one(what: str, n: int, folder: str) -> dict[str, float]:
    """One measurement, in this process."""
    logging.disable(logging.WARNING)
    storage = ExperimentStorageSettings(BUCKET=folder)
    if what == "gather":
        run = BaseExperiment(trivial, storage_settings=storage).latest_run
        seconds = _seconds(lambda: gather_run(run))
    elif what == "ops":
        seconds = _seconds(lambda: _op_per_spec(n))
    else:
        _run(trivial, [Case(x=0)], storage, 1)
        cases, size, function = {
            "specs": ([Case(x=x) for x in range(n)], 500, trivial),
            "columns": ([Case(x=x, columns=n) for x in range(WIDE_SPECS)], 500, with_frame),
            "shard": ([Case(x=x) for x in range(n)], n, with_frame),
        }[what]
        seconds = _seconds(lambda: _run(function, cases, storage, size))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 3), "peak_mb": round(peak_mb, 1)}


def _seconds(act: Any) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _run(
    function: Any, cases: Sequence[Case], storage: ExperimentStorageSettings, size: int
) -> None:
    settings = ExperimentRunSettings(executor="in_process", shard_size=size)
    with dg.DagsterInstance.ephemeral() as instance:
        _, ref = BaseExperiment(function, storage_settings=storage).allocate(
            cases, run_settings=settings, instance=instance
        )
        assert len(ref.result()) == len(cases)


def _op_per_spec(ops: int) -> None:
    """A Dagster job of an op per spec, which does the same."""

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
        result = op_per_spec.execute_in_process(instance=instance, run_config=quiet)
    assert result.output_for_node("collect") == ops


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        json.dump(one(sys.argv[2], int(sys.argv[3]), sys.argv[4]), sys.stdout)
    else:
        main()
