"""(b) Calls that wait: to a server that answers after half a second, against the limit.

    python -m benchmarks.cases.calls.latency [--calls 960] [--connections 10] [--alone]

The limit is calls x latency / connections; the time is that from the first request to the last
answer, as the server counts it. Half the calls answer, the other half grade, so that the time
between the stages counts, too. Ten connections are inspect_ai's default. `--alone` sends as many
calls through inspect_ai alone.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.processes import measure, python
from benchmarks.targets import Target, report
from tests.model_server import read_counts, server_process

from .overhead import PROMPTS
from .served import MODEL, declare_served, run_study

LATENCY_S = 0.5
ALONE = """
import sys, inspect_ai
from datetime import datetime
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.solver import generate
model, calls, connections = sys.argv[1], *map(int, sys.argv[2:])
samples = [Sample(input=f"What is {n} + {n}?", id=n) for n in range(calls)]
[log] = inspect_ai.eval(Task(samples, solver=generate()), model, max_connections=connections,
    log_dir="logs", display="none", log_level="error")
assert not any(sample.error for sample in log.samples)
begun, ended = (datetime.fromisoformat(at) for at in (log.stats.started_at, log.stats.completed_at))
print((ended - begun).total_seconds())
"""


def main() -> None:
    """Measure, and report the ratio to the limit."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--calls", type=int, default=960)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    limit_s = given.calls * LATENCY_S / given.connections
    facts: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        seconds = {
            workers: _seconds(Path(folder) / workers, given.calls, given.connections, workers)
            for workers in ("1", "2")
        }
        if given.alone:
            with server_process("--latency", str(LATENCY_S)) as base_url:
                os.environ["TEST_BASE_URL"] = base_url
                alone = measure(python(ALONE, MODEL, given.calls, given.connections), Path(folder))
                facts["inspect_ai_alone_s"] = float(alone.output)
    how = f"seconds of {given.calls} / (1.05 x calls x {LATENCY_S} s / {given.connections} + 2 s)"
    report(
        [
            Target(f"latency-bound calls, workers: {workers}", took / (1.05 * limit_s + 2), 1, how)
            for workers, took in seconds.items()
        ],
        limit_s=limit_s,
        seconds_by_workers=seconds,
        **facts,
    )


def _seconds(folder: Path, calls: int, connections: int, workers: str) -> float:
    """Seconds from the first request of a study to the last answer."""
    with server_process("--latency", str(LATENCY_S)) as base_url:
        os.environ |= {"TEST_BASE_URL": base_url, "TEST_API_KEY": "none"}
        solvers = {"max_connections": connections}
        run_study(declare_served(folder, calls // (2 * PROMPTS), solvers), int(workers))
        counts = read_counts(base_url)
    assert (counts["requests"], counts["most_at_once"]) == (calls, connections)
    return max(counts["answered_s"]) - min(counts["arrived_s"])


if __name__ == "__main__":
    main()
