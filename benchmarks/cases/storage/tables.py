"""(d), (e) A finished study of a million gradings: what reads or writes the whole of it.

    python -m benchmarks.cases.storage.tables [--events 1000000]

Each figure is that of a process of its own, after its imports. Beside itemeval, where it is
installed (see `benchmarks.peer`): its export of the same rows.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from benchmarks.big_study import declare, fill
from benchmarks.peer import find_itemeval, hand_over, timed
from benchmarks.processes import work
from benchmarks.targets import Target, report
from itemeval_assets.core.tables.schemas import SOLUTIONS, arrow_schema
from itemeval_assets.core.tables.split import Parts

_WHOLE = ("estimate", "estimate of pending calls", "results", "export")
# A split takes milliseconds: of a few, one may meet something else.
_SPLITS = 10


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
        steps = ("status", "plan", "gradings_long", *_WHOLE)
        found = {step: work(study.config_path, step) for step in steps}
        theirs = peer and timed(peer, hand_over(study), "export")
    size = f"{events:,} gradings, after imports"
    targets = [
        Target("status, s", found["status"]["seconds"], 5.0, size),
        Target("planning a run with nothing to do, s", found["plan"]["seconds"], 5.0, size),
        *(Target(f"{step}, s", found[step]["seconds"], 5.0, size) for step in _WHOLE),
        *(Target(f"{step}, MB", found[step]["peak_mb"], 500, "peak") for step in _WHOLE),
        *_splits(),
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


def _splits() -> list[Target]:
    """A table split into its partitions: 200 rows each.

    Two tables that the cache of a processor does not hold: a smaller one is twice as fast.
    """
    few, many = (_split_s(count) for count in (1_600, 6_400))
    how = f"seconds per partition of 6,400 / of 1,600, best of {_SPLITS} each"
    return [
        Target("splitting a table by partition", many / few / 4, 1.5, how),
        Target("splitting into 800 x 200 rows, s", _split_s(800), 1.0, f"best of {_SPLITS}"),
    ]


def _split_s(count: int) -> float:
    schema = arrow_schema(SOLUTIONS)
    texts = pa.array(["It is found by adding both numbers. " * 5] * 200)
    parts = [
        pa.table(
            [
                pa.nulls(200, field.type)
                if field.name not in ("condition_id", "solution")
                else texts
                if field.name == "solution"
                else pa.array([f"condition-{number}"] * 200)
                for field in schema
            ],
            names=schema.names,
        )
        for number in range(count)
    ]
    rows, seconds = pa.concat_tables(parts), []
    for _ in range(_SPLITS):
        begun = time.perf_counter()
        assert len(Parts(rows, ["condition_id"])) == count
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


if __name__ == "__main__":
    main()
