"""(a) The same mock calls through inspect_ai alone, and as a study with one and two workers.

    python -m benchmarks.overhead [--items 800]

Four prompts and one model: `4 x items` answers, each graded by a scorer and by a judge; 2,000
items make 8,000 answers and 16,000 gradings. inspect_ai alone makes the calls, with the same
settings of its logs, and grades nothing by scorer. All run as whole processes, start to end.
Beside itemeval, where it is installed (see `benchmarks.peer`).
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from .big_study import declare
from .peer import end_to_end, find_itemeval
from .processes import Measured, measure, python
from .targets import Target, report

PROMPTS = 4
BARE = """
import sys, inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.solver import generate
items, folder = int(sys.argv[1]), sys.argv[2]
for stage in ("generate", "grade"):
    tasks = [
        Task(name=f"{stage}_{n}", solver=generate(), dataset=[
            Sample(input=f"Prompt {n}. What is {i} + {i}?", target=str(2 * i), id=f"q{i}")
            for i in range(items)])
        for n in range(4)
    ]
    logs = inspect_ai.eval(tasks, model="mockllm/model", log_dir=f"{folder}/{stage}",
        log_format="eval", log_realtime=False, log_buffer=max(1, items // 200), display="none",
        max_tasks=4, score=False, log_level="error")
    assert sum(len(log.samples) for log in logs) == 4 * items
"""


def main() -> None:
    """Measure, and report ratios of whole processes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--items", type=int, default=800)
    items = parser.parse_args().items
    peer = find_itemeval()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bare = measure(python(BARE, items, root / "bare"), root)
        ours = {workers: _study(root, items, workers) for workers in (1, 2)}
        theirs = peer and end_to_end(peer, _declare(root / "peer", items), 2 * PROMPTS * items)
    calls = 2 * PROMPTS * items
    targets = [
        Target(
            "one worker, beside inspect_ai alone",
            ours[1].seconds / bare.seconds,
            1.10,
            f"seconds of {calls:,} calls as a study / through inspect_ai alone",
        ),
        Target(
            "two workers, beside inspect_ai alone",
            bare.seconds / ours[2].seconds,
            1.8,
            f"seconds of {calls:,} calls through inspect_ai alone / as a study",
            at_least=True,
        ),
    ]
    if theirs:
        targets.append(
            Target(
                "two workers, beside itemeval",
                theirs.seconds / ours[2].seconds,
                2.5,
                "its seconds for the same answers and gradings / ours",
                at_least=True,
            )
        )
    report(
        targets,
        answers=PROMPTS * items,
        gradings=2 * PROMPTS * items,
        inspect_s=bare.seconds,
        one_worker_s=ours[1].seconds,
        two_workers_s=ours[2].seconds,
        itemeval_s=theirs.seconds if theirs else None,
    )


def _declare(folder: Path, items: int) -> Path:
    return declare(
        folder, prompts=PROMPTS, judges=1, item_count=items, replications=1, scorer="numeric"
    )


def _study(root: Path, items: int, workers: int) -> Measured:
    folder = root / f"workers{workers}"
    config = _declare(folder, items)
    arguments = ["run", str(config), "--yes", "--json", "--workers", str(workers)]
    done = measure([*python("from itemeval_assets.cli import main; main()"), *arguments], folder)
    assert json.loads(done.output)["calls"] == 2 * PROMPTS * items
    shutil.rmtree(folder)
    return done


if __name__ == "__main__":
    main()
