"""Signals where nobody can take them: while packages load, and in callbacks of the collector."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest
from dagster._utils.interrupts import raise_interrupts_as

from itemeval_assets.host.interrupts import heeded
from tests.faults.study_runs import declare
from tests.whole.conftest import Serve

ENTRY = [sys.executable, "-c", "from itemeval_assets.cli.entry import main; main()"]
# Run at the start of the process: sends a signal in the first callback of SQLAlchemy's.
IN_A_CALLBACK = """
import importlib.abc, os, signal, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "alembic":
            from sqlalchemy.event import registry
            real, sent = registry._collection_gced, []
            def with_signal(ref):
                if not sent:
                    sent.append(1)
                    os.kill(os.getpid(), signal.SIGINT)
                    len(sent)  # the handler runs here, within the callback
                return real(ref)
            registry._collection_gced = with_signal
        return None

sys.meta_path.insert(0, Finder())
"""
WHILE_LOADING = """
import importlib.abc, os, signal, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.{signal})
        return None

sys.meta_path.insert(0, Finder())
"""


def run(folder: Path, at_start: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "sitecustomize.py").write_text(at_start)
    return subprocess.run(
        [*ENTRY, *arguments],
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_interrupt_that_a_callback_swallows_stops_the_run(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    config = declare(tmp_path, items=3)
    done = run(tmp_path, IN_A_CALLBACK, "run", str(config), "--yes")
    assert (done.returncode, server.count()) == (1, 0), done.stderr
    assert "error: stopped" in done.stderr
    assert "Traceback" not in done.stderr and "ignored" not in done.stderr


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("module", ["itemeval_assets.cli.main", "rich", "typer"])
def test_a_signal_while_packages_load_is_told(tmp_path: Path, module: str, how: str) -> None:
    at_start = WHILE_LOADING.format(module=module, signal=how)
    done = run(tmp_path, at_start, "status", str(tmp_path / "study.yaml"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: stopped") and len(done.stderr.splitlines()) == 1


def test_sigterm_is_an_interrupt_and_both_leave_no_handler_behind() -> None:
    before = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), heeded():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert (signal.getsignal(signal.SIGTERM), sys.unraisablehook) == before


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_dagster_leaves_signals_as_they_were(handler: signal.Handlers) -> None:
    def own(_signum: int, _frame: object) -> None: ...

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGTERM, own)
    try:
        with heeded(), raise_interrupts_as(KeyboardInterrupt):
            pass
        assert signal.getsignal(signal.SIGINT) is handler
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        for number, found in before.items():
            signal.signal(number, found)


def test_sigterm_is_heeded_where_ctrl_c_is_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), heeded():
            with raise_interrupts_as(KeyboardInterrupt):
                pass
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_dropped_interrupt_comes_again_and_other_errors_are_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Thing:
        pass

    def drop(error: BaseException) -> None:
        def callback(_: object) -> None:
            raise error

        thing = Thing()
        reference = weakref.ref(thing, callback)
        del thing
        assert reference() is None

    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: told.append(dropped.exc_type))
    with heeded():
        drop(ValueError("told as ever"))
        drop(asyncio.CancelledError())
        with pytest.raises(KeyboardInterrupt):
            drop(KeyboardInterrupt())
            time.sleep(5)
    assert told == [ValueError, asyncio.CancelledError]


def test_who_logs_an_interrupt_shows_nobody_its_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger = logging.getLogger("of a library")
    logger.propagate = False
    for error in (KeyboardInterrupt(), ValueError("told as ever")):
        with heeded():
            try:
                raise error
            except BaseException:
                logger.exception("closing")
    told = capsys.readouterr().err
    assert "told as ever" in told and "KeyboardInterrupt" not in told


def test_threads_leave_signals_alone() -> None:
    before = sys.unraisablehook
    seen: list[object] = []

    def work() -> None:
        with heeded():
            seen.append(sys.unraisablehook)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
