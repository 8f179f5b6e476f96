"""(i) What the commands of a small study take, each in a process of its own.

    python -m benchmarks.cases.start.commands [--trials 5]

The study is that of `itemeval-assets init`: 96 calls of mock models. The best of the trials counts,
because a busy machine only ever adds time; the spread is in the facts.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import measure
from benchmarks.targets import Target, report

COMMANDS = 14
TOOL = Path(sys.executable).with_name("itemeval-assets")


def main() -> None:
    """Measure commands before, during and after the first run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        first = [_first_run(root / f"study{number}") for number in range(trials)]
        study = root / "study0"
        seconds = {
            name: [_seconds(study, *words) for _ in range(trials)]
            for name, words in {
                "--help": ("--help",),
                "status": ("status", "study.yaml"),
                "nothing to do": ("run", "study.yaml"),
                "two workers": ("run", "study.yaml", "--workers", "2"),
            }.items()
        }
        home_mb = _home_mb(root / "of_14_commands")
    report(
        [
            _best("--help, s", seconds["--help"], 0.3),
            _best("status of a small study, s", seconds["status"], 0.8),
            _beside_status("a run with nothing to do", seconds["nothing to do"], seconds),
            _beside_status("the same with two workers", seconds["two workers"], seconds),
            _best("init and first run of 96 mock calls, s", first, 5.0),
            Target(
                "Dagster's history after 14 commands, MB",
                home_mb,
                6.0,
                "later runs had nothing to do",
            ),
        ],
        seconds={**seconds, "init and first run": first},
    )


def _best(name: str, seconds: list[float], bound: float) -> Target:
    return Target(name, min(seconds), bound, f"best of {len(seconds)}", trials=seconds)


def _beside_status(name: str, seconds: list[float], all_seconds: dict[str, list[float]]) -> Target:
    status = all_seconds["status"]
    return Target(
        f"{name} / status",
        min(seconds) / min(status),
        1.3,
        f"{min(seconds):.2f} s / {min(status):.2f} s, best of {len(seconds)} each",
        trials=[one / other for one, other in zip(seconds, status, strict=True)],
    )


def _seconds(folder: Path, *words: str) -> float:
    return measure([str(TOOL), *words], folder, _environment(folder)).seconds


def _environment(folder: Path) -> dict[str, str]:
    """No cache of answers, no history and no trace that another study has left."""
    return {
        "DAGSTER_HOME": str(folder / "dagster_home"),
        "INSPECT_CACHE_DIR": str(folder.with_name(f"{folder.name}_cache")),
    }


def _first_run(folder: Path) -> float:
    begun = time.perf_counter()
    measure([str(TOOL), "init", str(folder)], folder.parent)
    _seconds(folder, "run", "study.yaml")
    return time.perf_counter() - begun


def _home_mb(folder: Path) -> float:
    """What the first run leaves in Dagster's home, and the commands after it."""
    measure([str(TOOL), "init", str(folder)], folder.parent)
    day = ["estimate", "preflight", "run", "status", "cells", "run", "export", "run"]
    for command in [*day, "status", "release", "run", "cells", "run"][: COMMANDS - 1]:
        _seconds(folder, command, "study.yaml")
    home = folder / "dagster_home"
    return sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
