"""(b) Calls that wait: to a server that answers after half a second, against the limit.

    python -m benchmarks.cases.latency [--calls 4000] [--connections 10] [--alone]

The limit is calls x latency / connections; the time is that from the first request to the last
answer. The server is a process of its own on this machine. Ten connections are inspect_ai's
default. `--alone` sends the same calls through inspect_ai alone, too.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.processes import measure, python
from benchmarks.targets import Target, report
from itemeval_assets import api
from tests.model_server import server_process
from tests.studies import write_study

LATENCY_S = 0.5
MODEL = "openai-api/test/m"
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
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    facts: dict[str, float] = {}
    answered: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server_process("--latency", str(LATENCY_S)) as base_url,
    ):
        os.environ |= {"TEST_BASE_URL": base_url, "TEST_API_KEY": "none"}
        config = write_study(
            Path(folder),
            models=[MODEL],
            graders=[],
            items=given.calls,
            solvers={"max_connections": given.connections},
            extra={"cache": False},
        )
        api.run(config, on_progress=lambda _: answered.append(time.perf_counter()))
        if given.alone:
            alone = measure(python(ALONE, MODEL, given.calls, given.connections), Path(folder))
            facts["inspect_ai_alone_s"] = float(alone.output)
    limit_s = given.calls * LATENCY_S / given.connections
    took_s = answered[-1] - answered[0] + LATENCY_S
    report(
        [
            Target(
                "latency-bound calls",
                took_s / limit_s,
                1.05,
                f"seconds of {given.calls} calls / calls x {LATENCY_S} s / {given.connections}",
            )
        ],
        seconds=took_s,
        limit_s=limit_s,
        **facts,
    )


if __name__ == "__main__":
    main()
