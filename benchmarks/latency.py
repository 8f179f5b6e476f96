"""(b) Calls that wait: to a server that answers after half a second, against the limit.

    python -m benchmarks.latency [--calls 4000] [--connections 10]

The limit is calls x latency / connections; the time is that from the first request to the last
answer. The server is a process of its own on this machine. Ten connections are inspect_ai's
default.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from itemeval_assets import api
from tests.model_server import server_process
from tests.studies import write_study

from .targets import Target, report

LATENCY_S = 0.5


def main() -> None:
    """Measure, and report the ratio to the limit."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=10)
    given = parser.parse_args()
    answered: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server_process("--latency", str(LATENCY_S)) as base_url,
    ):
        os.environ |= {"TEST_BASE_URL": base_url, "TEST_API_KEY": "none"}
        config = write_study(
            Path(folder),
            models=["openai-api/test/m"],
            graders=[],
            items=given.calls,
            solvers={"max_connections": given.connections},
            extra={"cache": False},
        )
        api.run(config, on_progress=lambda _: answered.append(time.perf_counter()))
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
    )


if __name__ == "__main__":
    main()
