"""Measures programs as whole processes: seconds from start to end, and peak memory."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Measured", "measure", "python", "work"]

WORK = """
import json, resource, sys, time
from itemeval_assets import api
from itemeval_assets.core.design.options import RunOptions
from itemeval_assets.core.design.selection import select
from itemeval_assets.releases import publish_release, storage_for
from itemeval_assets.stages import export, gradings_long
from itemeval_assets.stages.calls.stage_run import Scope
from itemeval_assets.stages.projection.estimate import estimate
from itemeval_assets.stages.views import results
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.storage.study.inputs import prices_if_needed
from itemeval_assets.storage.study.store import open_store
study = load_study(sys.argv[1])
store, what = open_store(study), sys.argv[2]
begun = time.perf_counter()
if what == "status":
    assert all(part.done == part.cells for part in api.status(study).grade)
elif what == "plan":
    prices, items = prices_if_needed(study), store.read("items")
    scope = Scope(study=study, store=store, prices=prices, items=items, options=RunOptions())
    assert estimate(scope, select(study.design), in_full=False).remaining.calls == 0
elif what == "estimate":
    assert api.estimate(study).remaining.calls == 0
elif what == "estimate of pending calls":
    assert api.estimate(study, force=True).remaining.calls
elif what == "results":
    assert results.results(study, store).calls
elif what == "export":
    assert export.write(study, store).rows
elif what == "gradings_long":
    for _ in gradings_long.write(store, study.grade_partitions()): pass
elif what == "release":
    found, _ = publish_release(study, store, storage_for(study), run_id="benchmark")
    assert found.is_new
seconds = time.perf_counter() - begun
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak_mb}))
"""


class Measured(NamedTuple):
    """Of the process and those it waited for; `peak_mb` is the most memory of one of them."""

    seconds: float
    cpu_s: float
    peak_mb: float
    output: str


def measure(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.stderr.write(done.stderr[-2000:])
        raise subprocess.CalledProcessError(done.returncode, command)
    # The kernel keeps the most of all children so far: a smaller one after it is not seen.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return Measured(seconds, cpu_s, max(before.ru_maxrss, used.ru_maxrss) / 1024, done.stdout)


def python(program: str, *arguments: object) -> list[str]:
    """The command that runs a program of this package's environment."""
    return [sys.executable, "-c", program, *map(str, arguments)]


def work(config: Path, what: str) -> dict[str, float]:
    """Seconds after imports, and the peak in MB, of one step over a study in its own process."""
    return json.loads(measure(python(WORK, config, what), config.parent).output)
