"""(d), (e) A finished study of a million gradings: status, planning, export, gradings_long.

    python -m benchmarks.tables [--events 1000000]

Each figure is that of a process of its own, after its imports. Beside itemeval, where it is
installed (see `benchmarks.peer`): its export of the same rows.
"""

import argparse
import tempfile
from pathlib import Path

from .big_study import declare, fill
from .peer import find_itemeval, hand_over, timed
from .processes import work
from .targets import Target, report


def main() -> None:
    """Measure, and report seconds and peaks of memory."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events, peer = parser.parse_args().events, find_itemeval()
    with tempfile.TemporaryDirectory() as folder:
        prompts = max(1, events // 100_000)
        study = fill(
            declare(Path(folder), prompts=prompts, judges=10, item_count=2_000, replications=5)
        )
        steps = ("status", "plan", "gradings_long", "export")
        found = {step: work(study.config_path, step) for step in steps}
        theirs = peer and timed(peer, hand_over(study), "export")
    size = f"{events:,} gradings, after imports"
    targets = [
        Target("status, s", found["status"]["seconds"], 5.0, size),
        Target("planning a run with nothing to do, s", found["plan"]["seconds"], 5.0, size),
    ]
    if theirs:
        targets += [
            Target(
                "export, beside itemeval",
                theirs["seconds"] / found["export"]["seconds"],
                5,
                "its seconds for the same rows / ours",
                at_least=True,
            ),
            Target(
                "memory of the export, beside itemeval",
                found["export"]["peak_mb"] / theirs["peak_mb"],
                0.33,
                "our peak / its",
            ),
        ]
    report(targets, gradings=events, **found, itemeval_export=theirs)


if __name__ == "__main__":
    main()
