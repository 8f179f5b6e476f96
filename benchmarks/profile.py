"""Where the CPU time of the headline cases goes: the stack of a run, looked at every 5 ms of it.

    python -m benchmarks.profile [CASE...] [--write]

Each case is a process of its own, with one worker. A stack counts for the first part of the table
that it is in, from the outermost frame inwards, imports before all. `--write` keeps the shares in
docs/evidence/profiles.json, and puts them into docs/performance.md.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.table import Table

from .machine import machine

SECONDS_BETWEEN = 0.005
IMPORTS = "<frozen importlib"
LOADING, REST = "loading packages", "Dagster's steps, and the thin layer over them"
# {part: what the path of a frame's file matches}
PARTS = {
    "inspect_ai's eval: samples, transcripts, logs": "inspect_ai/_eval/",
    "reading the logs back into rows": "itemeval_assets/engine/(rows|logs/)",
    "pictures in the metadata": "itemeval_assets/report/plots/",
    "tables and locks: reading and writing files": "itemeval_assets/storage/",
    "storing Dagster's events": "dagster/_core/storage/",
    "rules of the study: states, estimates, ledger": "itemeval_assets/core/",
}
ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "docs" / "evidence" / "profiles.json"
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- profiles -->\n", "<!-- end of profiles -->\n")


def main() -> None:
    """Profile cases, each in a process of its own, and print the shares."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("cases", nargs="*", help=", ".join(CASES))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.cases) - set(CASES):
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if given.here:
        print(json.dumps(_profiled(CASES[given.cases[0]])))
        return
    found = {name: _apart(name) for name in given.cases or CASES}
    _show(found)
    if given.write:
        EVIDENCE.write_text(json.dumps({"machine": machine(), "cases": found}, indent=2) + "\n")
        head, rest = PAGE.read_text().split(MARKS[0])
        PAGE.write_text(head + MARKS[0] + _markdown(found) + MARKS[1] + rest.split(MARKS[1])[1])


def _apart(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.profile", "--here", name]
    with tempfile.TemporaryDirectory() as home:
        own = {"DAGSTER_HOME": home, "XDG_CACHE_HOME": home}
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def _profiled(case: Callable[[Path], None]) -> dict[str, Any]:
    """CPU seconds since the start of the process, and the share of each part."""
    found: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: found.update([_part(list(_files(frame)))]))
    signal.setitimer(signal.ITIMER_PROF, SECONDS_BETWEEN, SECONDS_BETWEEN)
    with tempfile.TemporaryDirectory() as folder:
        case(Path(folder))
        signal.setitimer(signal.ITIMER_PROF, 0)
    shares = {part: count / found.total() for part, count in found.most_common()}
    return {"cpu_s": time.process_time(), "shares": shares}


def _first_run(folder: Path) -> None:
    from itemeval_assets import api, project  # noqa: PLC0415 (loading counts)

    project.init(folder / "study")
    assert api.run(folder / "study" / "study.yaml").calls == 96


def _mock_calls(folder: Path) -> None:
    from itemeval_assets import api  # noqa: PLC0415 (loading counts)
    from itemeval_assets.core.money.budget import WHATEVER_IT_COSTS  # noqa: PLC0415

    from .cases.calls.overhead import declare_study  # noqa: PLC0415

    study = declare_study(folder, 300)
    assert api.run(study, max_usd=WHATEVER_IT_COSTS).calls == 8 * 300


def _partitions(folder: Path) -> None:
    from itemeval_assets import api  # noqa: PLC0415 (loading counts)

    from .cases.growth.sizes import declare_partitions  # noqa: PLC0415

    assert api.run(declare_partitions(folder, 200)).calls == 2 * 200


CASES: dict[str, Callable[[Path], None]] = {
    "first run": _first_run,
    "2,400 mock calls": _mock_calls,
    "200 partitions": _partitions,
}


def _files(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def _part(innermost_first: list[str]) -> str:
    if any(IMPORTS in file for file in innermost_first):
        return LOADING
    for file in reversed(innermost_first):
        for part, place in PARTS.items():
            if re.search(place, file):
                return part
    return REST


def _rows(found: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """A row of CPU seconds, and one for each part, the largest first."""
    parts = sorted(
        [*PARTS, LOADING, REST],
        key=lambda part: -sum(case["shares"].get(part, 0) for case in found.values()),
    )
    return [
        ["CPU seconds", *(f"{case['cpu_s']:.1f}" for case in found.values())],
        *(
            [part, *(f"{case['shares'].get(part, 0):.0%}" for case in found.values())]
            for part in parts
        ),
    ]


def _show(found: Mapping[str, Mapping[str, Any]]) -> None:
    table = Table("part", *found, title=machine(), title_justify="left")
    for row in _rows(found):
        table.add_row(*row)
    Console(highlight=False).print(table)


def _markdown(found: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [["part", *found], ["---", *("--:" for _ in found)], *_rows(found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + f"\nMeasured on {machine()}.\n"


if __name__ == "__main__":
    main()
