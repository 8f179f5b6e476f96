"""What things cost at several sizes: gradings that are stored, calls, and partitions of a run.

    python -m benchmarks.cases.growth.sizes

Commands on stored gradings are timed after their imports, runs from start to end, with one worker.
The targets say that cost grows as size does: what one more partition, or call, costs at a large
size beside what it costs at a small one.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.big_study import declare, fill
from benchmarks.cases.calls.overhead import PROMPTS, study
from benchmarks.processes import measure, python, work
from benchmarks.targets import Target, report
from tests.studies import write_study

GRADINGS = (10_000, 100_000, 1_000_000)
# At least 100 of a condition: a smaller log is written at each of its calls, and is cheaper.
CALLS = (800, 2_400, 7_200)
PARTITIONS = (20, 80, 320)
COMMANDS = ("status", "plan", "estimate", "results", "export")
RUN = "from itemeval_assets.cli.main import main; main()"
# Growth is a difference of times, so each is the best of a few.
_RUNS = 2
_A_MODEL = 20  # partitions: of solutions, and of gradings by 19 judges


def main() -> None:
    """Measure each size, and report how the cost grows."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        stored = {size: _stored(root / f"stored{size}", size) for size in GRADINGS}
        calls = {size: _best(_calls, root / f"calls{size}", size) for size in CALLS}
        partitions = {
            size: _best(_partitions, root / f"partitions{size}", size) for size in PARTITIONS
        }
    how = f"seconds of one more at a large size / at a small one, best of {_RUNS} each"
    report(
        [
            Target("one more partition of a run", _growth(partitions), 1.3, how),
            Target("one more call of a run", _growth(calls), 1.3, how),
        ],
        **{
            "stored gradings": {
                command: {size: found[command] for size, found in stored.items()}
                for command in COMMANDS
            },
            "calls of a run": {"run": calls},
            "partitions of a run": {"run": partitions},
        },
    )


def _stored(folder: Path, gradings: int) -> dict[str, float]:
    """Seconds of each command on a finished study."""
    prompts, judges, replications = max(1, gradings // 100_000), 10, 5
    items = gradings // (prompts * judges * replications)
    config = declare(
        folder, prompts=prompts, judges=judges, item_count=items, replications=replications
    )
    fill(config)
    return {command: work(config, command)["seconds"] for command in COMMANDS}


def _best(seconds_of: Callable[[Path, int], float], folder: Path, size: int) -> float:
    return min(seconds_of(folder.with_name(f"{folder.name}_{run}"), size) for run in range(_RUNS))


def _calls(root: Path, calls: int) -> float:
    root.mkdir()
    return study(root, calls // (2 * PROMPTS), 1).seconds


def _partitions(folder: Path, partitions: int) -> float:
    """Seconds of a run with two calls for each partition."""
    config = declare_partitions(folder, partitions)
    (folder / "home").mkdir()
    environment = {"DAGSTER_HOME": str(folder / "home")}
    return measure([*python(RUN), "run", str(config), "--yes"], folder, environment).seconds


def declare_partitions(folder: Path, partitions: int) -> Path:
    """A study of so many partitions, of solutions and of gradings, with two items."""
    return write_study(
        folder,
        models=[f"mockllm/m{number}" for number in range(partitions // _A_MODEL)],
        graders=[f"mockllm/j{number}" for number in range(_A_MODEL - 1)],
        scorer=None,
        items=2,
        extra={"cache": False},
    )


def _growth(seconds: Mapping[int, float]) -> float:
    """Of three sizes: the cost of one more beyond the second, beside one more before it."""
    (small, first), (middle, second), (large, third) = seconds.items()
    return (third - second) / (large - middle) / ((second - first) / (middle - small))


if __name__ == "__main__":
    main()
