"""Run the benchmarks, and print every target with its measured figure, the worst first.

    python -m benchmarks [NAME...] [--write]

`--write` keeps the figures in docs/evidence/benchmarks.json and draws docs/img/benchmarks.png.
"""

import argparse
import json
import platform
import subprocess
import sys
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
    "latency",
    "overhead",
]
ROOT = Path(__file__).parents[1]
EVIDENCE = ROOT / "docs" / "evidence" / "benchmarks.json"
PICTURE = ROOT / "docs" / "img" / "benchmarks.png"


def main() -> None:
    """Run each benchmark in a process of its own, and show what they found together."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(NAMES))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    found = {name: _run(name) for name in given.names or NAMES}
    targets = [Target(**target) for part in found.values() for target in part["targets"]]
    targets.sort(key=lambda target: -target.share)
    _show(targets)
    if given.write:
        document = {"machine": platform.processor() or platform.machine(), **found}
        EVIDENCE.write_text(json.dumps(document, indent=2) + "\n")
        _draw(targets)
    sys.exit(any(target.share > 1 for target in targets))


def _run(name: str) -> dict[str, Any]:
    sys.stderr.write(f"{name} ...\n")
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


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
