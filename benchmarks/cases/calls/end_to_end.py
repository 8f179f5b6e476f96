"""(a) The same answers and gradings through itemeval, and as a study with two workers.

    python -m benchmarks.cases.calls.end_to_end [--items 1200]

`4 x items` answers of mock models, each graded by a scorer and by a judge; 2,000 items make 8,000
answers and 16,000 gradings. Whole processes, start to end. Without itemeval (see
`benchmarks.peer`) there is nothing to compare with.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.peer import end_to_end, find_itemeval
from benchmarks.targets import Target, report

from .overhead import PROMPTS, declare_study, study

# From here on start-up hardly counts.
LARGE = 16_000


def main() -> None:
    """Measure, and report the ratio."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--items", type=int, default=1200)
    items, peer = parser.parse_args().items, find_itemeval()
    if peer is None:
        report([], note="itemeval is not installed")
        return
    gradings = 2 * PROMPTS * items
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ours = study(root, items, 2).seconds
        theirs = end_to_end(peer, declare_study(root / "peer", items), gradings).seconds
    report(
        [
            Target(
                f"two workers, beside itemeval, {gradings:,} gradings",
                theirs / ours,
                3.0 if gradings >= LARGE else 2.5,
                "its seconds for the same / ours",
                at_least=True,
            )
        ],
        answers=PROMPTS * items,
        gradings=gradings,
        seconds=ours,
        itemeval_s=theirs,
    )


if __name__ == "__main__":
    main()
