"""What a study costs beside its calls: `python -m deploy.here.cost`, for each executor.

80 calls that are answered at once, on two workers: a run of one step (items), the study from its
submission to its end, and a run of four steps (ledger, costs, results, export); and the same study
in one process, with `itemeval-assets run`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import psutil

from .cluster import FREE, WHOLE, Cluster, Design, open_cluster
from .evidence import table
from .servers import install_missing

EXECUTORS = ("in_process", "celery", "multiprocess")
STUDY, ITEMS, LAST = (Design((), frozenset(one)) for one in (WHOLE.assets, {"items"}, FREE))


def cost_of(folder: Path, executor: str) -> dict[str, Any]:
    with open_cluster(folder, STUDY, executor, latency_s=0.0) as cluster:
        found = {"seconds of a run of one step": run_s(cluster, ITEMS)}
        if executor == "multiprocess":  # the same again for each step, and a study has dozens
            return found
        before, began = cpu_of(cluster), time.monotonic()
        runs = runs_of(cluster, STUDY)
        took_s, cpu_s = time.monotonic() - began, cpu_of(cluster) - before
        return {
            **found,
            "seconds of a run of four steps": run_s(cluster, LAST),
            "seconds of the study": round(took_s, 1),
            "runs of the study": len(runs),
            "CPU seconds of its runs": round(cpu_s, 1),
        }


def runs_of(cluster: Cluster, design: Design) -> Sequence[dg.RunRecord]:
    """Run a design; its runs, once all have succeeded."""
    backfill = cluster.launch(design)
    status = cluster.wait_for(backfill)
    if status != "COMPLETED_SUCCESS":
        raise RuntimeError(f"{sorted(design.assets)}: {status}")
    return cluster.instance.get_run_records(dg.RunsFilter(tags={"dagster/backfill": backfill}))


def cpu_of(cluster: Cluster) -> float:
    """What the processes have used that workers and the code location have started and ended."""
    machines = [*(worker.machine for worker in cluster.workers), cluster.machines.running["code"]]
    used = [psutil.Process(machine.process.pid).cpu_times() for machine in machines]
    return sum(times.children_user + times.children_system for times in used)


def run_s(cluster: Cluster, design: Design) -> float:
    """From the moment that Dagster gives the only run of a design away, to its end."""
    [record] = runs_of(cluster, design)
    [given] = cluster.instance.all_logs(
        record.dagster_run.run_id, of_type=dg.DagsterEventType.PIPELINE_STARTING
    )
    assert record.end_time
    return round(record.end_time - given.timestamp, 1)


def alone(folder: Path) -> dict[str, Any]:
    """The study in one process, in the same bucket."""
    with open_cluster(folder, STUDY, "in_process", latency_s=0.0) as cluster:
        environment = {
            **os.environ,
            **cluster.machines.shared,
            "TEST_BASE_URL": cluster.workers[0].calls.base_url,
            "DAGSTER_HOME": str(folder / "studies"),
        }
        program = Path(sys.executable).with_name("itemeval-assets")
        began = time.monotonic()
        subprocess.run([program, "run", cluster.config, "--yes"], env=environment, check=True)
        return {"seconds of the study": round(time.monotonic() - began, 1)}


def main() -> None:
    """Measure one executor after the other, and show a table."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    install_missing()
    found: dict[str, dict[str, Any]] = {}
    for executor in (*EXECUTORS, "`itemeval-assets run`"):
        with tempfile.TemporaryDirectory(prefix="deploy_") as name:
            folder = Path(name)
            folder.chmod(0o755)  # the user `postgres` has its folder in it
            found[executor] = cost_of(folder, executor) if executor in EXECUTORS else alone(folder)
    print(table(found, "executor"))


if __name__ == "__main__":
    main()
