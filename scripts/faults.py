"""Run the fault suite, and print what each fault has cost: rows, dollars, calls made again.

The figures are what the tests have measured (`report_fault`), not what they assert. The tests
marked `faults` or `long` run, in their long form: every command line in a process of its own, every
key of a study on a disk and on S3, by one worker and by two.
TEST_FAULTS, TEST_KILLS, TEST_SIGNALS and TEST_ROUNDS make the series longer: docs/faults.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# What the tests have fewer of on their own.
LONG_FORM = {
    "TEST_LONG": "1",
    "TEST_EVERY": "1",
    "TEST_FAULTS": "2",
    "TEST_KILLS": "4",
    "TEST_SIGNALS": "3",
    "TEST_ROUNDS": "4",
}
ROOT = Path(__file__).parents[1]
TITLES = ("fault", "promised", "injected", "rows lost", "USD lost", "calls repeated")


def main() -> int:
    """Exit with that of pytest: 0 where every promise held."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="All other arguments are passed to pytest."
    )
    _, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "faults.jsonl"
        code = _pytest(report, arguments)
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    print(_table(sorted(map(json.loads, lines), key=lambda line: line["fault"])))
    return code


def _pytest(report: Path, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal"]
    command += ["-m", "(faults or long) and not deploy", *arguments]
    environment = {**LONG_FORM, **os.environ, "TEST_FAULT_REPORT": str(report)}
    return subprocess.call(command, cwd=ROOT, env=environment)


def _table(lines: Iterable[dict[str, Any]]) -> str:
    """The report as Markdown; a fault that was reported more than once is one row."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        known = found.setdefault(line["fault"], line)
        if known is not line:
            for name in ("injected", "rows", "usd", "calls_repeated"):
                known[name] += line[name]
    rows = [
        (
            line["fault"],
            line["promised"],
            str(line["injected"]),
            _amount(line["rows"]),
            _amount(line["usd"], "{:.6f}"),
            _amount(line["calls_repeated"]),
        )
        for line in found.values()
    ]
    texts = [TITLES, tuple("---" for _ in TITLES), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in texts)


def _amount(value: float, form: str = "{}") -> str:
    return form.format(value) if value else "nothing"


if __name__ == "__main__":
    sys.exit(main())
