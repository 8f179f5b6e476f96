"""Where a run of quick calls spends its time: its stack, looked at a hundred times a second.

    python -m benchmarks.profile [--items 300]

`8 x items` calls of mock models, with one worker. A stack counts for the first part of the
table below that it is in, from the outermost frame inwards, imports before all.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

BEGUN = time.perf_counter()
SECONDS_BETWEEN = 0.01
IMPORTS = "<frozen importlib"
# {part: what the path of a frame's file contains}
PARTS = {
    "inspect_ai's eval: samples, transcripts, logs": "inspect_ai/_eval/",
    "reading the logs back into rows": "itemeval_assets/engine/rows.py",
    "pictures in the metadata": "itemeval_assets/report/plots/",
    "tables: reading and writing Parquet": "itemeval_assets/storage/",
    "storing Dagster's events": "dagster/_core/storage/",
    "rules of the study: states, estimates, ledger": "itemeval_assets/core/",
}


def main() -> None:
    """Run a study beside a thread that samples, and print the shares."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--items", type=int, default=300)
    items = parser.parse_args().items
    found: Counter[str] = Counter()
    watched = threading.get_ident()
    threading.Thread(target=_sample, args=(watched, found), daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        _run(Path(folder), items)
    _show(found, time.perf_counter() - BEGUN)


def _run(folder: Path, items: int) -> None:
    # What a command loads is part of what it takes.
    from itemeval_assets import api  # noqa: PLC0415
    from itemeval_assets.core.money.budget import WHATEVER_IT_COSTS  # noqa: PLC0415

    from .cases.overhead import declare_study  # noqa: PLC0415

    study = declare_study(folder, items)
    assert api.run(study, max_usd=WHATEVER_IT_COSTS).calls == 8 * items


def _sample(watched: int, found: Counter[str]) -> None:
    while True:
        time.sleep(SECONDS_BETWEEN)
        frame = sys._current_frames().get(watched)
        found[_part(list(_files(frame)))] += 1


def _files(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def _part(innermost_first: list[str]) -> str:
    if any(IMPORTS in file for file in innermost_first):
        return "loading packages"
    for file in reversed(innermost_first):
        for part, place in PARTS.items():
            if place in file:
                return part
    return "the rest: Dagster's steps, the thin layer over them"


def _show(found: Counter[str], seconds: float) -> None:
    table = Table(title=f"{seconds:.0f} s", title_justify="left")
    table.add_column("part")
    table.add_column("share", justify="right")
    for part, count in found.most_common():
        table.add_row(part, f"{count / found.total():.0%}")
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
