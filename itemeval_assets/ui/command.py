"""The command `ui`: starts the process that serves the studies, and sees to its end.

That process leads a group, in which all that it starts stays. It ends when this one ends, however
that comes; and what is left of its group when it ends, however that came, is killed from here.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from itemeval_assets.core.errors import (
    ConfigError,
    ItemevalAssetsError,
    NotOffered,
    RunFailed,
    error_from,
)
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.host.interrupts import interrupt
from itemeval_assets.host.processes import can_share_files
from itemeval_assets.settings import Settings, homes_beside, nearest_dagster_home

from .addresses import OWN_HOSTS, Addresses, listening
from .pages import open_when_it_answers, page_of

_MODULE = "itemeval_assets.ui.server"
_LAST_MOMENT_S = 10.0


def serve_ui(configs: list[Path], port: int, *, open_page: bool = False) -> None:
    """Serve Dagster's web UI on 127.0.0.1 until a signal ends it.

    `open_page`: open the page of the first study in the browser, as soon as it answers.
    Raises an ItemevalAssetsError: for a study that is wrong, a busy port, a broken history.
    """
    if not can_share_files():
        raise NotOffered.on_windows(
            "itemeval-assets ui", "use dg dev, and read docs/security.md first"
        )
    folder, environment = _chosen(configs)
    paths = [path.expanduser().resolve() for path in configs] or Settings().study_paths()
    Addresses.of(port, Settings().ui_addresses())
    with listening(port, "another UI") as listener, _interrupted_by(signal.SIGTERM, signal.SIGHUP):
        if not os.environ.get("DAGSTER_HOME"):
            _tell_of_other_homes(nearest_dagster_home(Path(folder)), paths)
        page = page_of(paths)
        server = subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(listener.fileno()), folder, page],
            env=environment,
            stdin=subprocess.PIPE,  # it closes when this process is gone
            stdout=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        if open_page:
            open_when_it_answers(f"http://{OWN_HOSTS[0]}:{listener.getsockname()[1]}{page}")
        try:
            told, is_wanted = _until_it_ends(server)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            code = server.wait()
    if told or (code and not is_wanted):
        raise _error(json.loads(told) if told else {}, code)


def _chosen(configs: list[Path]) -> tuple[Path, dict[str, str]]:
    """The folder whose Dagster home is meant, and the environment that names the studies.

    A study that cannot be loaded is shown as such beside the others. Raises where none can be, and
    for a file that is not there: that is a slip of the command line.
    """
    paths = [path.expanduser().resolve() for path in configs]
    if paths:
        problems = [problem for path in paths if (problem := _problem(path))]
        if len(problems) == len(paths):
            raise ConfigError("\n".join(problems))
        files = json.dumps([str(path) for path in paths])
        return paths[0].parent, {**os.environ, "ITEMEVAL_ASSETS_STUDY_FILES": files}
    settings = Settings()
    if not settings.study_paths():
        raise ConfigError(
            f"no study is found in {Path.cwd()} ({settings.studies}); "
            "name the YAML file: itemeval-assets ui CONFIG"
        )
    return Path.cwd(), dict(os.environ)


def _problem(path: Path) -> str | None:
    """What is wrong with a study. Raises ConfigError where there is no file."""
    try:
        load_study(path)
    except ItemevalAssetsError as error:
        if not path.exists():
            raise
        return str(error)
    return None


def _tell_of_other_homes(home: Path, paths: list[Path]) -> None:
    """Say which histories the UI does not show: it looks as if their studies had never run."""
    if others := homes_beside(home, paths):
        listed = "".join(f"  {path}: its runs are in {own}\n" for path, own in others.items())
        sys.stderr.write(
            f"note: the UI shows the history in {home}. It does not show that of\n{listed}To see "
            "the history of such a study, give it alone. For one history of all studies from now "
            "on, set DAGSTER_HOME to one folder for all commands; or move these homes away, and "
            "put one, with its dagster.yaml, into a folder above all studies. Results are stored "
            "elsewhere, and do not change.\n"
        )


@contextmanager
def _interrupted_by(*signals: signal.Signals) -> Iterator[None]:
    """Take signals as Ctrl-C, save those that this process was told to ignore (`nohup`)."""
    before = {number: signal.getsignal(number) for number in signals}
    heeded = [number for number, handler in before.items() if handler != signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def _until_it_ends(server: "subprocess.Popen[bytes]") -> tuple[bytes, bool]:
    """What the server says of its end, and whether an interruption asked it to end.

    A second interruption waits for nothing.
    """
    assert server.stdout is not None
    is_wanted = False
    try:
        told = server.stdout.read()
    except KeyboardInterrupt:
        is_wanted = True
        server.terminate()
        told = server.stdout.read()
    # It has closed its output, and takes a moment to go.
    with suppress(subprocess.TimeoutExpired):
        server.wait(_LAST_MOMENT_S)
    return told, is_wanted


def _error(told: dict[str, Any], code: int) -> Exception:
    if not told:
        return RunFailed(f"the UI ended by itself, with exit code {code}; see its messages above")
    return error_from(told["kind"], told["message"])
