"""Run the benchmarks, and print every target with its measured figure, the worst first.

    python -m benchmarks [NAME...] [--write] [--strict]

Without names all run that take less than five minutes. `overhead_full` and `end_to_end_full` are
those of 8,000 answers and 16,000 gradings, which take about ten minutes each on two cores.
`--write` keeps the figures in docs/evidence/benchmarks.json, and puts them into
docs/performance.md as a table and a picture; benchmarks that are not named keep theirs.
`--strict` ends with exit code 1 where a target is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .targets import Target

NAMES = [
    "load_definitions",
    "upsert",
    "tables",
    "memory",
    "another_judge",
    "commands",
    "latency",
    "served",
    "bucket",
    "overhead",
    "end_to_end",
    "experiments",
]
# {name: the benchmark and its options}
LONG = {
    "overhead_full": ("overhead", "--items", "2000"),
    "end_to_end_full": ("end_to_end", "--items", "2000"),
}
ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "docs" / "evidence" / "benchmarks.json"
PICTURE = ROOT / "docs" / "img" / "benchmarks.png"
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- figures -->\n", "<!-- end of figures -->\n")


def main() -> None:
    """Run each benchmark in a process of its own, and show what they found together."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help=", ".join([*NAMES, *LONG]))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--strict", action="store_true")
    given = parser.parse_args()
    found = {name: _run(name) for name in given.names or NAMES}
    targets = _worst_first(found)
    _show(targets)
    if given.write:
        _write(found)
    sys.exit(given.strict and any(target.share > 1 for target in targets))


def _worst_first(found: dict[str, Any]) -> list[Target]:
    targets = [Target(**target) for part in found.values() for target in part["targets"]]
    return sorted(targets, key=lambda target: -target.share)


def _run(name: str) -> dict[str, Any]:
    sys.stderr.write(f"{name} ...")
    sys.stderr.flush()
    begun = time.perf_counter()
    module, *options = LONG.get(name, (name,))
    command = [sys.executable, "-m", f"benchmarks.cases.{module}", *options]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    took_s = round(time.perf_counter() - begun)
    sys.stderr.write(f" {took_s} s\n")
    return {**json.loads(done.stdout.splitlines()[-1]), "took_s": took_s}


def _show(targets: list[Target]) -> None:
    table = Table(title="targets, worst first", title_justify="left")
    for name in ("target", "measured", "bound", "what was divided", ""):
        table.add_column(name, justify="right" if name in ("measured", "bound") else "left")
    for target in targets:
        sign = ">=" if target.at_least else "<="
        met = "[red]missed[/red]" if target.share > 1 else "[green]met[/green]"
        bound = f"{sign} {target.bound:g}"
        table.add_row(target.name, f"{target.measured:.3g}", bound, target.how, met)
    Console(highlight=False).print(table)


def _write(found: dict[str, Any]) -> None:
    """Keep the figures, and show those of all benchmarks in the documentation."""
    before = json.loads(EVIDENCE.read_text()) if EVIDENCE.exists() else {}
    known = {**before, **found}
    kept = {name: known[name] for name in [*NAMES, *LONG] if name in known}
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    EVIDENCE.write_text(json.dumps({"machine": machine, **kept}, indent=2) + "\n")
    targets = _worst_first(kept)
    _draw(targets)
    head, rest = PAGE.read_text().split(MARKS[0])
    PAGE.write_text(head + MARKS[0] + _markdown(targets) + MARKS[1] + rest.split(MARKS[1])[1])


def _markdown(targets: list[Target]) -> str:
    lines = ["| target | measured | bound | what was divided |", "|---|--:|--:|---|"]
    for target in targets:
        sign, missed = "≥" if target.at_least else "≤", " (missed)" if target.share > 1 else ""
        measured = f"{target.measured:.3g}{missed}"
        lines.append(f"| {target.name} | {measured} | {sign} {target.bound:g} | {target.how} |")
    return "\n".join(lines) + "\n"


def _draw(targets: list[Target]) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 (only where a picture is wanted)

    figure = Figure(figsize=(8, 0.4 * len(targets) + 1), layout="constrained")
    axes = figure.subplots()
    shares = [target.share for target in reversed(targets)]
    colours = ["tab:red" if share > 1 else "tab:green" for share in shares]
    axes.barh([target.name for target in reversed(targets)], shares, color=colours)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("share of the bound that is used: beyond 1 the target is missed")
    figure.savefig(PICTURE, dpi=120)


if __name__ == "__main__":
    main()
