"""All that many machines need, on this one: services, two workers, and the study they run."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from itemeval_assets.storage.s3.bucket import s3_client
from tests.s3_server import s3_server
from tests.studies import write_study

from .evidence import Calls, Worker
from .machines import Machines
from .progress import Progress, tell
from .servers import free_port, is_open, wait_for
from .ui import launch

__all__ = ["SMALL", "WHOLE", "Cluster", "Design", "open_cluster"]

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
ITEMS, PROMPTS, MODELS = 20, ("short", "long"), ("a", "b")
DONE = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "CANCELED", "FAILED"}
OWN_LAUNCHER = {"module": "dagster._core.launcher", "class": "DefaultRunLauncher", "config": {}}


@dataclass
class Cluster:
    """Machines with a study that nobody has run yet, and who looks at them."""

    machines: Machines
    workers: list[Worker]
    config: Path
    ui: str
    instance: dg.DagsterInstance
    progress: Progress

    def launch(self, design: Design) -> str:
        """Ask for all partitions; the id of the backfill."""
        return launch(self.ui, design.assets)

    def wait_for(self, backfill: str, patience_s: float = 900) -> str:
        """How a backfill ended."""

        def status() -> str:
            self.progress.look()
            found = self.instance.get_backfill(backfill)
            return found.status.value if found else "gone"

        wait_for("the end of the backfill", lambda: status() in DONE, patience_s, every_s=0.5)
        return status()


@contextmanager
def open_cluster(
    folder: Path, design: Design, executor: str, latency_s: float
) -> Iterator[Cluster]:
    """Start everything below an empty folder; it ends with the block."""
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
            "ITEMEVAL_ASSETS_EXECUTOR": executor,
            "DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1",
        }
        quick: dict[str, Any] = {"run_monitoring": {"poll_interval_seconds": 2}}
        if executor != "in_process":  # runs start beside the code location
            shared["CELERY_VISIBILITY_TIMEOUT_S"] = "30"
            quick["run_launcher"] = OWN_LAUNCHER
        machines = stack.enter_context(Machines.open(folder, shared, quick))
        tell("Postgres, Redis and S3 are up")
        calls = [stack.enter_context(Calls.serve(latency_s)) for _ in range(2)]
        config = write_study_of(folder / "studies", design)
        workers, model_server = list[Worker](), {}
        if executor == "multiprocess":  # not on workers: no process of Celery may start others
            model_server = {"TEST_BASE_URL": calls[0].base_url}
        else:
            workers = [start_worker(machines, f"worker-{n}", one) for n, one in enumerate(calls, 1)]
        ui = start_head(machines, code_port, model_server)
        for worker in workers:
            worker.machine.wait_for(
                f"{worker.name} is ready",
                lambda output=worker.machine.output: b" ready." in output.read_bytes(),
            )
        tell(f"code location, webserver, daemon and {len(workers)} workers are up")
        instance = stack.enter_context(instance_of(machines))
        progress = Progress(instance, workers)
        yield Cluster(machines, workers, config, ui, instance, progress)


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
            "output_dir": f"s3://results/{folder.parent.name}",  # its own: moto forgets no bucket
            "automation": {"partitions_per_run": 2},
        },
    )


def start_worker(machines: Machines, name: str, calls: Calls) -> Worker:
    # As containers have host names of their own, and these have not.
    own = ["--hostname", f"celery@{name}"]
    machine = machines.start_service("worker", name, added=own, TEST_BASE_URL=calls.base_url)
    return Worker(name, machine, calls)


def start_head(machines: Machines, code_port: str, model_server: Mapping[str, str]) -> str:
    """Code location, then daemon and webserver; the address of the latter, once it answers.

    Nobody but a worker may call a model: without `model_server` there is no address for it here.
    """
    workspace = str(Path(__file__).parents[1] / "compose" / "workspace.yaml")
    port = str(free_port())
    words = {"4000": code_port, "3000": port, "/opt/itemeval/workspace.yaml": workspace}
    code = machines.start_service("code", replaced=words, **model_server)
    code.wait_for("the code location", lambda: is_open(int(code_port)))
    machines.start_service("daemon", replaced=words)
    webserver = machines.start_service("webserver", replaced=words)
    webserver.wait_for("the webserver", lambda: is_open(int(port)))
    return f"http://127.0.0.1:{port}"


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
