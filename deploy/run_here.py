"""Two workers, one of them killed: what many machines share, and what a death costs.

`python -m deploy.run_here` starts Postgres, Redis, an S3 server, two model servers, the code
location, the webserver, the daemon and two Celery workers, asks the webserver for all partitions
of a study, kills one worker in the middle, and counts what was called.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from deploy.evidence import Calls, Worker, collect, table, write_evidence
from deploy.machines import Machines
from deploy.progress import Progress, tell
from deploy.servers import free_port, install_missing, is_open, wait_for
from deploy.ui import launch
from itemeval_assets.storage.s3.bucket import s3_client
from tests.s3_server import s3_server
from tests.studies import write_study

__all__ = ["SMALL", "VICTIMS", "WHOLE", "Design", "experiment", "main"]


PAID, FREE = ("items", "solutions", "generation_ledger"), ("ledger", "costs", "results", "export")


@dataclass(frozen=True)
class Design:
    """A study of 2 prompts x 2 models x `judges`, and which of its assets are asked for."""

    judges: tuple[str, ...]
    assets: frozenset[str]


WHOLE = Design(
    judges=("judge", "strict"),
    assets=frozenset({*PAID, "gradings", "grading_ledger", "gradings_long", *FREE}),
)
SMALL = Design(judges=(), assets=frozenset({*PAID, "ledger"}))
VICTIMS = ("worker", "redis", "postgres", "daemon", "code", "webserver")
ITEMS, PROMPTS, MODELS, LATENCY_S = 20, ("short", "long"), ("a", "b"), 0.3
# Of the 40 of a run over two partitions: most are answered, and it is not finished.
KILL_AFTER = 32
DONE = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "CANCELED", "FAILED"}


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
    with ExitStack() as stack:
        s3 = stack.enter_context(s3_server())
        aws = {
            "AWS_ENDPOINT_URL": s3.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
        }
        stack.enter_context(environment(aws))
        make_buckets("results", "logs")
        code_port = str(free_port())
        shared = {
            **aws,
            "DAGSTER_LOGS_BUCKET": "logs",
            "CODE_LOCATION_HOST": "127.0.0.1",
            "CODE_LOCATION_PORT": code_port,
            "TEST_API_KEY": "sk-of-the-test",
            "DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1",
        }
        quick: dict[str, Any] = {"run_monitoring": {"poll_interval_seconds": 2}}
        if executor == "celery":  # steps are tasks, and runs wait beside the code location
            shared |= {"ITEMEVAL_ASSETS_EXECUTOR": executor, "CELERY_VISIBILITY_TIMEOUT_S": "30"}
            own = {"module": "dagster._core.launcher", "class": "DefaultRunLauncher", "config": {}}
            quick["run_launcher"] = own
        machines = stack.enter_context(Machines.open(folder, shared, quick))
        tell("Postgres, Redis and S3 are up")
        calls = [stack.enter_context(Calls.serve(LATENCY_S)) for _ in range(2)]
        config = write_study_of(folder / "studies", design)
        workers = [start_worker(machines, f"worker-{n}", one) for n, one in enumerate(calls, 1)]
        ui = start_head(machines, code_port)
        for worker in workers:
            worker.machine.wait_for(
                f"{worker.name} is ready",
                lambda output=worker.machine.output: b" ready." in output.read_bytes(),
            )
        tell("code location, webserver, daemon and two workers are up")
        instance = stack.enter_context(instance_of(machines))
        backfill = launch(ui, design.assets)
        submitted = time.monotonic()
        progress = Progress(instance, workers)
        kill = kill_in_the_middle(machines, workers[0], victim, progress, patience_s)
        tell(f"{kill['victim']} was killed")
        status = wait_for_backfill(instance, backfill, progress, patience_s)
        seconds = {
            "to start all services": round(submitted - began, 1),
            "from submission to the end": round(time.monotonic() - submitted, 1),
        }
        figures = collect(instance, workers, kill, config)
        figures["backfill"] = status
        figures["holds"] = figures["holds"] and status == "COMPLETED_SUCCESS"
        figures["seconds"] = seconds
        return figures


def write_study_of(folder: Path, design: Design) -> Path:
    """The study file, beside its prompts, rubric and items."""
    return write_study(
        folder,
        study="deployed",
        models=[f"openai-api/test/{model}" for model in MODELS],
        prompts=PROMPTS,
        graders=[f"openai-api/test/{judge}" for judge in design.judges],
        scorer=None if design.judges else "numeric",
        items=ITEMS,
        solvers={"max_connections": 2},
        extra={
            "cache": False,
            "output_dir": "s3://results/studies",
            "automation": {"partitions_per_run": 2},
        },
    )


def start_worker(machines: Machines, name: str, calls: Calls) -> Worker:
    # As containers have host names of their own, and these have not.
    own = ["--hostname", f"celery@{name}"]
    machine = machines.start_service("worker", name, added=own, TEST_BASE_URL=calls.base_url)
    return Worker(name, machine, calls)


def start_head(machines: Machines, code_port: str) -> str:
    """Code location, then daemon and webserver; the address of the latter, once it answers."""
    workspace = str(Path(__file__).parent / "compose" / "workspace.yaml")
    port = str(free_port())
    words = {"4000": code_port, "3000": port, "/opt/itemeval/workspace.yaml": workspace}
    # Nobody but a worker may call a model: there is no address for it here.
    code = machines.start_service("code", replaced=words)
    code.wait_for("the code location", lambda: is_open(int(code_port)))
    machines.start_service("daemon", replaced=words)
    webserver = machines.start_service("webserver", replaced=words)
    webserver.wait_for("the webserver", lambda: is_open(int(port)))
    return f"http://127.0.0.1:{port}"


def kill_in_the_middle(
    machines: Machines, worker: Worker, victim: str, progress: Progress, patience_s: float
) -> dict[str, Any]:
    """Kill the victim while a worker waits for answers, with most of its run answered.

    A worker stays dead; anything else is started again five seconds later.
    """

    def is_the_moment() -> bool:
        progress.look()
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


def wait_for_backfill(
    instance: dg.DagsterInstance, backfill: str, progress: Progress, patience_s: float
) -> str:
    def status() -> str:
        progress.look()
        found = instance.get_backfill(backfill)
        return found.status.value if found else "gone"

    wait_for("the end of the backfill", lambda: status() in DONE, patience_s, every_s=0.5)
    return status()


@contextmanager
def instance_of(machines: Machines) -> Iterator[dg.DagsterInstance]:
    with (
        environment(machines.shared),
        dg.DagsterInstance.from_config(machines.home("head")["DAGSTER_HOME"]) as instance,
    ):
        yield instance


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def make_buckets(*names: str) -> None:
    for name in names:
        s3_client().create_bucket(Bucket=name)


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
