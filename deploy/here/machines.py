"""Machines on one machine: processes that share nothing but what is said in their environment.

Each service of `compose/docker-compose.yaml` is started with the command of that file, and has a
home, a working directory and a DAGSTER_HOME of its own. The study files have one path on all.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .servers import Server, postgres_server, redis_server, wait_for

__all__ = ["COMPOSE", "Machine", "Machines"]

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose"
PASSED_ON = ("PATH", "LANG", "TZ")


@dataclass
class Machine:
    """One service in a process group of its own, with what it printed in `output`."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path

    def wait_for(self, what: str, ready: Callable[[], object]) -> None:
        """Raises RuntimeError, with what it printed, where it ends before that."""

        def is_ready() -> object:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {self.output.read_text()[-2000:]}")
            return ready()

        wait_for(what, is_ready)

    def kill(self) -> None:
        """What a power cut does: no process of it says another word."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, patience_s: float = 20) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
        with suppress(ProcessLookupError):  # children that outlived it
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Machines:
    """All machines of a test, below `folder`; `shared` is the environment that they agree on."""

    folder: Path
    shared: dict[str, str]
    instance: dict[str, Any]  # dagster.yaml, the same on all of them
    servers: dict[str, Server]
    running: dict[str, Machine] = field(default_factory=dict)
    started: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path, environment: Mapping[str, str], overrides: Mapping[str, Any]
    ) -> Iterator["Machines"]:
        """Postgres and Redis run inside the block; everything ends with it."""
        with ExitStack() as stack:
            postgres, to_postgres = postgres_server(folder / "postgres")
            redis, to_redis = redis_server(folder / "redis")
            servers = {"postgres": postgres, "redis": redis}
            for server in servers.values():
                stack.enter_context(server.running())
            instance = yaml.safe_load((COMPOSE / "dagster.yaml").read_text())
            for section, values in overrides.items():
                instance[section] = instance[section] | values
            shared = {**to_postgres, **to_redis, **environment}
            machines = cls(folder, shared, instance, servers)
            stack.callback(machines.stop)
            yield machines

    def home(self, name: str) -> dict[str, str]:
        """A machine's own folders, and its whole environment."""
        own = self.folder / name
        (own / "dagster_home").mkdir(parents=True, exist_ok=True)
        (own / "dagster_home" / "dagster.yaml").write_text(yaml.safe_dump(self.instance))
        folders = {
            "HOME": own,
            "DAGSTER_HOME": own / "dagster_home",
            "ITEMEVAL_ASSETS_ROOT": self.folder / "studies",
            "XDG_CACHE_HOME": own / "cache",
            "XDG_CONFIG_HOME": own / "config",
            "XDG_DATA_HOME": own / "data",
        }
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        kept["PYTHONPATH"] = str(ROOT)
        return {**kept, **{key: str(path) for key, path in folders.items()}, **self.shared}

    def start(self, name: str, command: list[str], **more: str) -> Machine:
        self.started[name] = (command, more)
        environment = {**self.home(name), **more}
        output = self.folder / name / "output.txt"
        with output.open("ab") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder / name,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running[name] = Machine(name, process, output)
        return self.running[name]

    def start_service(
        self,
        service: str,
        name: str | None = None,
        *,
        replaced: Mapping[str, str] | None = None,
        added: Sequence[str] = (),
        **more: str,
    ) -> Machine:
        """Start a service of the compose file with the command of that file.

        `replaced` words of it differ here, and `added` ones follow; `more` is environment.
        """
        declared = yaml.safe_load((COMPOSE / "docker-compose.yaml").read_text())["services"]
        words = {"0.0.0.0": "127.0.0.1", **(replaced or {})}
        command = [words.get(str(word), str(word)) for word in declared[service]["command"]]
        return self.start(name or service, [*command, *added], **more)

    def start_again(self, name: str) -> None:
        if name in self.servers:
            self.servers[name].start()
        else:
            command, more = self.started[name]
            self.start(name, command, **more)

    def stop(self) -> None:
        for machine in reversed(list(self.running.values())):
            machine.stop()
