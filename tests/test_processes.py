"""Processes of Python that this one starts: they find its modules, and none is left behind."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from itemeval_assets.host.processes import end_process, start_python

PATIENCE_S = 60.0
ECHO = "def main(*arguments): print(arguments)"
PARENT = """
import subprocess, sys, time

def main():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(child.pid, flush=True)
    time.sleep(600)
"""


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    (folder / "started_module.py").write_text(text)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path, None])
    return "started_module"


def test_it_finds_the_modules_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = module(tmp_path, monkeypatch, ECHO)
    process = start_python(name, "a b", '"', stdout=subprocess.PIPE, text=True)
    assert process.communicate(timeout=PATIENCE_S)[0].strip() == "('a b', '\"')"
    end_process(process)
    assert process.returncode == 0


def test_who_does_not_end_is_killed_with_all_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = module(tmp_path, monkeypatch, PARENT)
    process = start_python(name, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    end_process(process, 0.1)
    assert process.returncode == -9
    deadline = time.monotonic() + PATIENCE_S
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
