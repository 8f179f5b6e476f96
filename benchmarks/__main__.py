"""Run the benchmarks, and print every target with its measured figure, the worst first.

    python -m benchmarks [NAME...] [--repeat N] [--write] [--strict]

Without names all run that take less than five minutes. `overhead_full` and `end_to_end_full` are
those of 8,000 answers and 16,000 gradings, which take about ten minutes each on two cores.
`--repeat` runs each so often: the median counts, and the spread is told.
`--write` keeps the figures in docs/evidence/benchmarks.json, and puts them into
docs/performance.md as a table and pictures; benchmarks that are not named keep theirs.
`--strict` ends with exit code 1 where a target is missed.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .machine import machine
from .peer import find_itemeval
from .pictures import draw_shares, draw_sizes
from .targets import Target, together

# {name: its module in `cases`}
CASES = {
    name.rpartition(".")[2]: name
    for name in (
        "start.load_definitions",
        "storage.upsert",
        "storage.tables",
        "certainty.measurement",
        "certainty.figures",
        "storage.memory",
        "calls.another_judge",
        "start.commands",
        "calls.latency",
        "calls.served",
        "storage.bucket",
        "calls.overhead",
        "calls.end_to_end",
        "growth.experiments",
        "growth.sizes",
    )
}
# {name: the benchmark and its options}
LONG = {
    "overhead_full": ("overhead", "--items", "2000"),
    "end_to_end_full": ("end_to_end", "--items", "2000"),
}
ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "docs" / "evidence" / "benchmarks.json"
PICTURES = ROOT / "docs" / "img"
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- figures -->\n", "<!-- end of figures -->\n")


def main() -> None:
    """Run each benchmark in a process of its own, and show what they found together."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help=", ".join([*CASES, *LONG]))
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--strict", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.names) - {*CASES, *LONG}:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    found = {name: _run(name, given.repeat) for name in given.names or CASES}
    rows = _worst_first(found)
    _show(rows)
    if find_itemeval() is None:
        sys.stderr.write("itemeval is not here, so nothing was compared with it: make bench\n")
    if given.write:
        _write(found)
    sys.exit(given.strict and any(target.share > 1 for target, _ in rows))


def _worst_first(found: dict[str, Any]) -> list[tuple[Target, str]]:
    """Targets, each with the command that measures it."""
    rows = [
        (Target(**target), part["command"]) for part in found.values() for target in part["targets"]
    ]
    return sorted(rows, key=lambda row: -row[0].share)


def _run(name: str, repeat: int) -> dict[str, Any]:
    """What a benchmark found, on which machine, and by which command."""
    module, *options = LONG.get(name, (name,))
    arguments = ["-m", f"benchmarks.cases.{CASES[module]}", *options]
    begun, on, runs = time.perf_counter(), machine(), []
    for number in range(repeat):
        sys.stderr.write(f"{name}, {number + 1} of {repeat} ...")
        sys.stderr.flush()
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        sys.stderr.write(f" {time.perf_counter() - begun:.0f} s\n")
    targets = together([[Target(**target) for target in run["targets"]] for run in runs])
    return {
        "command": " ".join(["python", *arguments]),
        "machine": on,
        "targets": [asdict(target) for target in targets],
        "facts": runs[-1]["facts"],
        "took_s": round(time.perf_counter() - begun),
    }


def _show(rows: list[tuple[Target, str]]) -> None:
    table = Table(title=f"targets, worst first, on {machine()}", title_justify="left")
    for name in ("target", "measured", "spread", "bound", "what was divided", "command", ""):
        table.add_column(name, justify="right" if name in ("measured", "bound") else "left")
    for target, command in rows:
        met = "[red]missed[/red]" if target.share > 1 else "[green]met[/green]"
        measured = f"{target.measured:.3g}"
        table.add_row(target.name, measured, target.spread, target.limit, target.how, command, met)
    Console(highlight=False).print(table)


def _write(found: dict[str, Any]) -> None:
    """Keep the figures, and show those of all benchmarks in the documentation."""
    before = json.loads(EVIDENCE.read_text()) if EVIDENCE.exists() else {}
    known = {**before, **found}
    kept = {name: known[name] for name in [*CASES, *LONG] if name in known}
    EVIDENCE.write_text(json.dumps(kept, indent=2) + "\n")
    rows = _worst_first(kept)
    draw_shares([target for target, _ in rows], PICTURES / "benchmarks.png")
    if "sizes" in found:
        draw_sizes(found["sizes"]["facts"], PICTURES / "benchmarks_sizes.png")
    head, rest = PAGE.read_text().split(MARKS[0])
    PAGE.write_text(head + MARKS[0] + _markdown(kept) + MARKS[1] + rest.split(MARKS[1])[1])


def _markdown(kept: dict[str, Any]) -> str:
    lines = [
        "| target | measured | spread | bound | what was divided | `python -m benchmarks` |",
        "|---|--:|--:|--:|---|---|",
    ]
    names = {part["command"]: name for name, part in kept.items()}
    for target, command in _worst_first(kept):
        measured = f"{target.measured:.3g}{' (missed)' if target.share > 1 else ''}"
        cells = (target.name, measured, target.spread, target.limit, target.how, names[command])
        lines.append(f"| {' | '.join(cells)} |")
    machines: dict[str, list[str]] = {}
    for name, part in kept.items():
        machines.setdefault(part["machine"], []).append(name)
    told = [f"- {', '.join(of_it)}: {on}" for on, of_it in machines.items()]
    return "\n".join([*lines, "", "Measured on:", "", *told, ""])


if __name__ == "__main__":
    main()
