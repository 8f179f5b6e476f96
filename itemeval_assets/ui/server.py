"""The process that serves the UI of one machine: pages here, daemon and code server as children.

It leads a process group, and is the last of it to end. It ends with the command that started it:
its standard input is a pipe that only the command holds.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path

import psutil
import yaml
from dagster._cli.proxy_server_manager import ProxyServerManager
from dagster._cli.utils import get_instance_for_cli
from dagster._core.workspace.load_target import ModuleTarget, WorkspaceFileTarget
from dagster._utils.log import configure_loggers

from itemeval_assets.core.errors import ItemevalAssetsError, RunFailed
from itemeval_assets.host.interrupts import interrupt
from itemeval_assets.instances.instance import ensure_home, opening
from itemeval_assets.instances.new_keys import tell_of_new_keys
from itemeval_assets.settings import Settings

from .addresses import OWN_HOSTS, Addresses
from .pages import DEFINITIONS

_PAGES, _DAEMON = "itemeval_assets.ui.webserver", "itemeval_assets.ui.daemon"
# Runs take this long at most to stop their calls and keep what was answered.
END_S = 20.0


def main() -> None:
    # What libraries print must not come between the command and its error.
    with os.fdopen(os.dup(1), "w") as told:
        os.dup2(2, 1)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)
        threading.Thread(target=_end_with_the_command, daemon=True).start()
        try:
            listener, folder, page = sys.argv[1:]
            serve(socket.socket(fileno=int(listener)), Path(folder), page)
        except KeyboardInterrupt:
            pass
        except ItemevalAssetsError as error:
            json.dump({"kind": type(error).__name__, "message": str(error)}, told)
            told.flush()
        finally:
            end_group()


def serve(listener: socket.socket, folder: Path, page: str) -> None:
    """Serve the studies of the settings until interrupted. Raises RunFailed without a daemon.

    `page`: the path of the page to look at first.
    """
    home = ensure_home(folder)
    os.environ["DAGSTER_HOME"] = str(home)
    configure_loggers()
    port = listener.getsockname()[1]
    allowed = Addresses.of(port, Settings().ui_addresses())
    target = ModuleTarget(DEFINITIONS, None, str(Path.cwd()), None)
    with ExitStack() as stack:
        with opening(home):
            instance = stack.enter_context(get_instance_for_cli())
            for part in ("run_launcher", "run_coordinator", "scheduler"):
                getattr(instance, part)  # Dagster loads them when they are first asked for
            tell_of_new_keys(instance)
        # The packages of the pages load while the code server starts.
        threading.Thread(target=import_module, args=(_PAGES,), daemon=True).start()
        code = stack.enter_context(ProxyServerManager(instance, target, "warning"))
        workspace = stack.enter_context(_workspace(code))
        stack.enter_context(_daemon(workspace))
        address = f"http://{OWN_HOSTS[0]}:{port}{page}"
        logging.getLogger("dagster").info(f"Ctrl-C ends the UI. Its page: {address}")
        from .webserver import serve_pages

        serve_pages(instance, WorkspaceFileTarget([workspace]), listener, allowed)


@contextmanager
def _workspace(code: ProxyServerManager) -> Iterator[str]:
    """A workspace file that names the code server: daemon and pages have the same one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workspace.yaml"
        path.write_text(yaml.safe_dump({"load_from": list(code.get_code_server_specs())}))
        yield str(path)


@contextmanager
def _daemon(workspace: str) -> Iterator[None]:
    """Dagster's daemon beside the block, which is interrupted, with RunFailed, when it dies."""
    command = [sys.executable, "-m", _DAEMON, "-w", workspace]
    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    died, ending = threading.Event(), threading.Event()

    def watch() -> None:
        daemon.wait()
        if not ending.is_set():
            died.set()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        if died.is_set():
            raise RunFailed(
                f"Dagster's daemon ended by itself, with exit code {daemon.returncode}; "
                "see its messages above"
            ) from None
        raise
    finally:
        ending.set()
        daemon.send_signal(signal.SIGINT)


def end_group() -> None:
    """Interrupt what is left of the process group, as Ctrl-C would, and kill what stays."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for process in _others():
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + END_S
    while _others() and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in _others():
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _others() -> list[psutil.Process]:
    """The living processes of this group, but for this one."""
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError):
            in_group = os.getpgid(process.pid) == os.getpgrp() and process.pid != os.getpid()
            if in_group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _end_with_the_command() -> None:
    while os.read(0, 1024):  # nothing is ever sent
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
