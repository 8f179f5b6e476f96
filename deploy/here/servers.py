"""Postgres and Redis as Debian installs them, run by hand on 127.0.0.1, on data of their own."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Server",
    "free_port",
    "install_missing",
    "is_open",
    "missing_programs",
    "postgres_server",
    "redis_server",
    "wait_for",
]


def postgres_program(name: str) -> Path | None:
    """A program of Postgres, from the PATH or where Debian puts it; the newest."""
    found = shutil.which(name)
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return Path(found) if found else debian[-1] if debian else None


def missing_programs() -> list[str]:
    """The Debian packages that are still to be installed."""
    missing = [] if postgres_program("initdb") else ["postgresql"]
    return missing if shutil.which("redis-server") else [*missing, "redis-server"]


def install_missing() -> None:
    """Postgres and Redis from Debian; only root may. Both are run by hand, not as services."""
    missing = missing_programs()
    if not missing:
        return
    if os.geteuid() != 0:
        raise SystemExit(f"install these first: apt-get install {' '.join(missing)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-y", "-qq", *missing], check=True, env=quiet)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(
    what: str, ready: Callable[[], object], patience_s: float = 120, every_s: float = 0.05
) -> None:
    """Raises TimeoutError that says what did not come."""
    deadline = time.monotonic() + patience_s
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience_s:.0f} s")
        time.sleep(every_s)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Server:
    """A server process that can be killed, and started again on what it had stored."""

    name: str
    port: int
    command: Sequence[str | Path]
    output: Path
    user: str | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                user=self.user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self.name, lambda: is_open(self.port))

    def kill(self) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @contextmanager
    def running(self) -> Iterator["Server"]:
        self.start()
        try:
            yield self
        finally:
            # To both a fast shutdown, which leaves no child behind.
            if self.process is not None and self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
                self.process.wait(60)


def postgres_server(folder: Path) -> tuple[Server, dict[str, str]]:
    """A new, empty Postgres on 127.0.0.1, and the environment that leads to it."""
    initdb, program = postgres_program("initdb"), postgres_program("postgres")
    if initdb is None or program is None:
        raise FileNotFoundError("Postgres is not installed: apt-get install postgresql")
    port, password = free_port(), secrets.token_hex(8)
    folder.mkdir()
    (folder / "password").write_text(password)
    data, user = folder / "data", _not_root(folder)
    how = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--username=dagster"]
    subprocess.run([initdb, "-D", data, *how], check=True, capture_output=True, user=user, cwd="/")
    command = [program, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder]
    environment = {
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(port),
        "POSTGRES_DB": "postgres",
        "POSTGRES_USER": "dagster",
        "POSTGRES_PASSWORD": password,
    }
    return Server("Postgres", port, command, folder / "output.txt", user), environment


def _not_root(folder: Path) -> str | None:
    """Postgres refuses to run as root: then as `postgres`, which owns its folder."""
    if os.geteuid() != 0:
        return None
    for path in (folder, folder / "password"):
        shutil.chown(path, "postgres", "postgres")
    return "postgres"


def redis_server(folder: Path) -> tuple[Server, dict[str, str]]:
    """A new, empty Redis on 127.0.0.1, and the environment that leads to it."""
    port, password = free_port(), secrets.token_hex(8)
    folder.mkdir()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--appendonly", "yes", "--save", "", "--requirepass", password]
    address = f"redis://:{password}@127.0.0.1:{port}"
    environment = {"CELERY_BROKER_URL": f"{address}/0", "CELERY_RESULT_URL": f"{address}/1"}
    return Server("Redis", port, command, folder / "output.txt"), environment
