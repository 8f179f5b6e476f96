"""Two workers, one of them killed: what many machines share, and what a death costs.

`python -m deploy.here.run` starts Postgres, Redis, an S3 server, two model servers, the code
location, the webserver, the daemon and two Celery workers, asks the webserver for all partitions
of a study, kills one worker in the middle, and counts what was called.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from .cluster import WHOLE, Cluster, Design, open_cluster
from .evidence import collect, table, write_evidence
from .progress import tell
from .servers import install_missing, wait_for

__all__ = ["VICTIMS", "experiment", "main"]


VICTIMS = ("worker", "redis", "postgres", "daemon", "code", "webserver")
LATENCY_S = 0.3
# Of the 40 of a run over two partitions: most are answered, and it is not finished.
KILL_AFTER = 32


def experiment(
    folder: Path,
    victim: str,
    design: Design = WHOLE,
    executor: str = "in_process",
    patience_s: float = 900,
) -> dict[str, Any]:
    """Run the whole of it below an empty folder; the figures, as `evidence.collect` gives them.

    Raises TimeoutError when something does not come to its end.
    """
    began = time.monotonic()
    with open_cluster(folder, design, executor, LATENCY_S) as cluster:
        backfill = cluster.launch(design)
        submitted = time.monotonic()
        kill = kill_in_the_middle(cluster, victim, patience_s)
        tell(f"{kill['victim']} was killed")
        status = cluster.wait_for(backfill, patience_s)
        seconds = {
            "to start all services": round(submitted - began, 1),
            "from submission to the end": round(time.monotonic() - submitted, 1),
        }
        figures = collect(cluster.instance, cluster.workers, kill, cluster.config)
        figures["backfill"] = status
        figures["holds"] = figures["holds"] and status == "COMPLETED_SUCCESS"
        figures["seconds"] = seconds
        return figures


def kill_in_the_middle(cluster: Cluster, victim: str, patience_s: float) -> dict[str, Any]:
    """Kill the victim while a worker waits for answers, with most of its run answered.

    A worker stays dead; anything else is started again five seconds later.
    """
    worker, machines = cluster.workers[0], cluster.machines

    def is_the_moment() -> bool:
        cluster.progress.look()
        return len(worker.calls.answered()) >= KILL_AFTER and worker.calls.in_flight() > 0

    wait_for(f"{KILL_AFTER} calls of {worker.name}", is_the_moment, patience_s)
    at = time.monotonic()
    if victim == "worker":
        worker.machine.kill()
        time.sleep(2 * LATENCY_S)  # the server finds out that nobody waits any more
        return {"at": at, "victim": worker.name}
    piece = machines.servers.get(victim) or machines.running[victim]
    piece.kill()
    time.sleep(5)
    machines.start_again(victim)
    return {"at": at, "victim": victim}


def main() -> None:
    """Install what is missing, kill one piece after another, and show what that has cost."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--kill", choices=VICTIMS, nargs="+", default=["worker"])
    parser.add_argument("--executor", choices=("in_process", "celery"), default="in_process")
    parser.add_argument("--write", action="store_true", help="keep the figures for the docs")
    args = parser.parse_args()
    install_missing()
    found = {}
    for victim in args.kill:
        with tempfile.TemporaryDirectory(prefix="deploy_") as folder:
            Path(folder).chmod(0o755)  # the user `postgres` has its folder in it
            figures = experiment(Path(folder), victim, executor=args.executor)
        name = victim if args.executor == "in_process" else f"{victim} (celery executor)"
        print(table({name: figures}), flush=True)
        found[name] = figures
    if args.write:
        write_evidence(found)
    raise SystemExit(0 if all(figures["holds"] for figures in found.values()) else 1)


if __name__ == "__main__":
    main()
