"""(f) How long the definitions take to load, beside importing dagster alone.

    python -m benchmarks.cases.start.load_definitions [--studies 20] [--conditions 100]

Each trial is a process of its own; the best of `--trials` counts, because a busy machine
only ever adds time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.targets import Target, report

HEAVY = ("pandas", "pyarrow", "inspect_ai", "datasets")
PROGRAM = """
import json, sys, time
start = time.perf_counter()
import dagster
imported = time.perf_counter()
from itemeval_assets.definitions import defs
defs.get_repository_def()
loaded = time.perf_counter()
heavy = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps({{"dagster_s": imported - start, "total_s": loaded - start, "heavy": heavy}}))
"""
STUDY = """\
study: study_{number}
benchmark:
  adapter: local
  datasets: [{{id: items.jsonl}}]
  mapping: {{id: id, input: question, target: answer}}
solvers: {{models: [{models}]}}
facets: {{prompt: [builtin:standard], scorer: numeric, grader: [mockllm/judge]}}
"""


def write_studies(folder: Path, studies: int, conditions: int) -> None:
    """`studies` configs of `conditions` generate conditions each."""
    models = ", ".join(f"mockllm/m{number}" for number in range(conditions))
    for number in range(studies):
        home = folder / f"study_{number}"
        home.mkdir()
        config = STUDY.format(number=number, models=models)
        (home / "study.yaml").write_text(config, encoding="utf-8")


def load(folder: Path) -> dict:
    """Load the definitions of a folder in a fresh process."""
    environment = {**os.environ, "ITEMEVAL_ASSETS_ROOT": str(folder)}
    command = [sys.executable, "-c", PROGRAM.format(heavy=HEAVY)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Measure, and report seconds and ratio."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--conditions", type=int, default=100)
    parser.add_argument("--trials", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_studies(Path(folder), given.studies, given.conditions)
        trials = [load(Path(folder)) for _ in range(given.trials)]
    best = min(trials, key=lambda trial: trial["total_s"])
    dagster_s = min(trial["dagster_s"] for trial in trials)
    result = {
        "studies": given.studies,
        "conditions": given.conditions,
        "seconds": round(best["total_s"], 3),
        "dagster_alone_seconds": round(dagster_s, 3),
        "ratio": round(best["total_s"] / dagster_s, 2),
        "heavy_modules": best["heavy"],
    }
    report(
        [
            Target(
                "loading 20 x 100 conditions, s",
                result["seconds"],
                2.0,
                f"a process of its own, best of {given.trials}",
                trials=[trial["total_s"] for trial in trials],
            )
        ],
        **result,
    )


if __name__ == "__main__":
    main()
