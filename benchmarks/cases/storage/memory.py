"""Peaks of memory at one and at two million gradings: export, gradings_long, release.

    python -m benchmarks.cases.storage.memory [--events 1000000]

What is streamed needs no more for twice the rows; the slope says what ten million would need. A
release has figures of all scores together, so it grows with them.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.big_study import declare, fill
from benchmarks.processes import work
from benchmarks.targets import Target, report

STREAMED = ("gradings_long", "export")
STEPS = (*STREAMED, "release")


def main() -> None:
    """Measure, and report ratios of peaks and slopes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    once, twice = _peaks(events), _peaks(2 * events)
    report(
        [
            Target(
                f"memory of {step}",
                twice[step] / once[step],
                1.15,
                f"peak at {2 * events:,} gradings / at {events:,}",
            )
            for step in STREAMED
        ]
        + [Target("memory of release, MB", once["release"], 1000, f"peak at {events:,} gradings")],
        peak_mb={str(events): once, str(2 * events): twice},
        mb_per_million={step: (twice[step] - once[step]) / events * 1_000_000 for step in STEPS},
    )


def _peaks(events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        study = fill(
            declare(
                Path(folder),
                prompts=max(1, events // 100_000),
                judges=10,
                item_count=2_000,
                replications=5,
            )
        )
        return {step: work(study.config_path, step)["peak_mb"] for step in STEPS}


if __name__ == "__main__":
    main()
