"""(a) The same mock calls through inspect_ai alone, and as a study with one and two workers.

    python -m benchmarks.cases.calls.overhead [--items 800] [--detail]

Four prompts and one model: `4 x items` answers, each graded by a scorer and by a judge; 2,000 items
make 8,000 answers and 16,000 gradings. All run as whole processes, start to end; inspect_ai alone
grades nothing by scorer. It runs with its own defaults; with `--detail` also with the settings that
a study gives its logs, and as two processes at once that share the work.
"""

import argparse
import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.big_study import declare
from benchmarks.processes import Measured, measure, python
from benchmarks.targets import Target, report

__all__ = ["PROMPTS", "declare_study", "study"]

PROMPTS = 4
BARE = """
import sys, inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate
items, folder = int(sys.argv[1]), sys.argv[2]
settings = dict(log_realtime=False, log_buffer=max(1, items // 100)) if "tuned" in sys.argv else {}

def answer(input, tools, tool_choice, config):
    # Without a usage inspect_ai counts tokens itself, and fetches a table from the net for it.
    output = ModelOutput.from_content("mockllm/model", f"ANSWER: {len(input[-1].text)}")
    output.usage = ModelUsage(input_tokens=20, output_tokens=5, total_tokens=25)
    return output

for stage in ("generate", "grade"):
    tasks = [
        Task(name=f"{stage}_{n}", solver=generate(), dataset=[
            Sample(input=f"Prompt {n}. What is {i} + {i}?", target=str(2 * i), id=f"q{i}")
            for i in range(items)])
        for n in range(4)
    ]
    logs = inspect_ai.eval(tasks, model=get_model("mockllm/model", custom_outputs=answer),
        log_dir=f"{folder}/{stage}", display="none", max_tasks=4, score=False,
        log_level="error", **settings)
    assert sum(len(log.samples) for log in logs) == 4 * items
"""


def main() -> None:
    """Measure, and report ratios of whole processes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--items", type=int, default=800)
    parser.add_argument("--detail", action="store_true")
    given = parser.parse_args()
    facts: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bare = {"inspect_ai alone": _alone(root / "alone", given.items)}
        if given.detail:
            tuned = _alone(root / "tuned", given.items, "tuned")
            bare["inspect_ai with our log settings"] = tuned
            halves = [root / "first half", root / "second half"]
            with ThreadPoolExecutor() as both:
                each = both.map(lambda half: _alone(half, given.items // 2, "tuned"), halves)
                facts["two_processes_of_inspect_s"] = max(each)
        ours = {workers: study(root, given.items, workers).seconds for workers in (1, 2)}
    calls = 2 * PROMPTS * given.items
    targets = [
        target
        for name, seconds in bare.items()
        for target in (
            Target(
                f"one worker, beside {name}, {calls:,} calls",
                ours[1] / seconds,
                1.10,
                "seconds as a study / through it",
            ),
            Target(
                f"two workers, beside {name}, {calls:,} calls",
                seconds / ours[2],
                1.8,
                "seconds through it / as a study",
                at_least=True,
            ),
        )
    ]
    found = {"inspect_s": bare, "one_worker_s": ours[1], "two_workers_s": ours[2]}
    report(targets, calls=calls, **found, **facts)


def _alone(folder: Path, items: int, *options: str) -> float:
    """Seconds of the calls through inspect_ai alone, in a process of its own."""
    folder.mkdir()
    return measure(python(BARE, items, folder, *options), folder).seconds


def declare_study(folder: Path, items: int) -> Path:
    """Four prompts, a judge and a scorer."""
    return declare(
        folder, prompts=PROMPTS, judges=1, item_count=items, replications=1, scorer="numeric"
    )


def study(root: Path, items: int, workers: int) -> Measured:
    """Run the study to its end, in a process of its own."""
    folder = root / f"workers{workers}"
    config = declare_study(folder, items)
    arguments = ["run", str(config), "--yes", "--json", "--workers", str(workers)]
    done = measure(
        [*python("from itemeval_assets.cli.main import main; main()"), *arguments], folder
    )
    assert json.loads(done.output)["calls"] == 2 * PROMPTS * items
    shutil.rmtree(folder)
    return done


if __name__ == "__main__":
    main()
