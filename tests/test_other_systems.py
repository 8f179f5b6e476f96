"""Windows and macOS: nothing that only Unix has is loaded, and what is not offered is told."""

import sys
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.core.errors import NotOffered
from itemeval_assets.experiments.layout.settings import ExperimentStorageSettings
from itemeval_assets.experiments.spec.limits import Limits
from itemeval_assets.experiments.work.workers.pool import WorkerPool
from itemeval_assets.experiments.work.workers.worker import Setup
from itemeval_assets.ui.command import serve_ui
from tests.commands import run_script
from tests.studies import write_study

# Libraries load these where they find them: they are loaded before the names are taken away.
_ELSEWHERE = """
import os, pkgutil, importlib, signal, subprocess, sys
import dagster, dagster_webserver.app, inspect_ai, filelock, platformdirs, psutil, uvicorn
ours = [name for name in sys.modules if name.split(".")[0] == "itemeval_assets"]
for name in ours:
    del sys.modules[name]
for name in ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty"):
    sys.modules[name] = None
for name in ("SIGHUP", "SIGKILL", "SIGSTOP", "SIGCONT", "SIGALRM"):
    delattr(signal, name)
for name in ("killpg", "getpgid", "getpgrp", "setsid", "fork"):
    delattr(os, name)
subprocess.Popen.kill = subprocess.Popen.terminate  # as Windows has it
import itemeval_assets
for found in pkgutil.walk_packages(itemeval_assets.__path__, "itemeval_assets."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
from itemeval_assets import api
summary = api.run(sys.argv[1])
assert (summary.errored, summary.failed_checks) == (0, []), summary
print("calls:", summary.calls, "graded:", [part.done for part in summary.status.grade])
"""


def test_all_is_loaded_and_a_study_runs_without_what_only_unix_has(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def score(s, t, m):\n    return t in s\n")
    entry = {"type": "python", "function": "mine.py:score"}
    config = write_study(tmp_path, scorer=["numeric", "mine"], extra={"scorers": {"mine": entry}})
    script = tmp_path / "elsewhere.py"
    script.write_text(_ELSEWHERE)
    code, printed, said = run_script(script, config)
    assert code == 0, said[-2000:]
    assert "calls: 8 graded: [4, 4, 4]" in printed


def test_what_windows_has_not_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_study(tmp_path, prompts=["short", "long"])
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NotOffered, match=r"several workers: offered on Linux and macOS"):
        api.run(config, workers=2)
    with pytest.raises(NotOffered, match="several processes, and limits of a spec"):
        WorkerPool(Setup("module:function", "v1.0.0", ExperimentStorageSettings()), 2, Limits())
    with pytest.raises(NotOffered, match=r"itemeval-assets ui: .* use dg dev"):
        serve_ui([config], 0)
