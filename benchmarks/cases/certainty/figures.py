"""The commands about certainty on a study of a million gradings; what their assets add to a run.

    python -m benchmarks.cases.certainty.figures [--events 1000000]

20 conditions, each graded by a scorer and four judges. Each figure is that of a process of its own,
after its imports. The commands as a whole, with imports and the table that they print, and the same
number of gradings by one scorer, which are as many solutions, are told beside the targets.
The small run is one of 120 calls on mock models, with the assets and the scores at its end, and
without them, in turn.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.big_study import declare, fill
from benchmarks.processes import measure, python
from benchmarks.targets import Target, report

PROMPTS, JUDGES, REPLICATIONS = 20, 4, 5
RUNS = 3
STEPS = ("scores", "comparisons", "reliability", "agreement", "items")
FIGURE = """
import json, resource, sys, time
import pandas, scipy.linalg, scipy.special, scipy.stats
import itemeval_assets as ie
from itemeval_assets import stages
study, name = ie.load_study(sys.argv[1]), sys.argv[2]
stages.agreement, stages.comparisons, stages.item_statistics, stages.reliability, stages.scores
begun, cpu_begun = time.perf_counter(), time.process_time()
assert getattr(ie, name)(study)
seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu_begun
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}))
"""
RUN = """
import json, sys, time
import itemeval_assets as ie
from itemeval_assets.runs import dagster_runs, study
if sys.argv[2] == "without":
    dagster_runs.FIGURES, study._scores = (), lambda *of_run: None
begun = time.process_time()
found = ie.run(sys.argv[1], policy="full-interactive")
assert not found.errored
loaded = sum(name in sys.modules for name in ("scipy.stats", "matplotlib.figure"))
print(json.dumps({"cpu_s": time.process_time() - begun, "loaded": loaded}))
"""


def main() -> None:
    """Measure, and report seconds and the peak of memory."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        crossed = _study(Path(folder) / "crossed", events, judges=JUDGES)
        found = {step: _figure(crossed, step) for step in STEPS}
        commands = {
            step: measure(_command(step, crossed), crossed.parent).seconds
            for step in ("scores", "compare", "reliability")
        }
        single = _study(Path(folder) / "single", events, judges=0)
        by_one = {step: _figure(single, step) for step in STEPS[:3]}
        first, again, loaded = _small_runs(Path(folder))
    size = f"{events:,} gradings of {PROMPTS} conditions, after imports"
    both = found["scores"]["seconds"] + found["comparisons"]["seconds"]
    peak_gb = max(found[step]["peak_mb"] for step in STEPS) / 1024
    how = f"least of {RUNS} runs of 120 calls with the assets, after imports, less that without"
    report(
        [
            Target("scores and all comparisons of a study, s", both, 3, size),
            Target("reliability of a study, s", found["reliability"]["seconds"], 5, size),
            Target("memory of any of these, GB", peak_gb, 1, f"{size}; agreement and items, too"),
            Target("the assets about certainty in a small run, CPU s", first, 2, how),
            Target("the assets in a run without changes, CPU s", again, 0.2, how),
        ],
        figures=found,
        commands_s=commands,
        of_one_scorer=by_one,
        packages_of_figures_in_a_run_without_changes=loaded,
    )


def _study(folder: Path, events: int, *, judges: int) -> Path:
    items = events // (PROMPTS * REPLICATIONS * (1 + judges))
    config = declare(
        folder,
        prompts=PROMPTS,
        judges=judges,
        item_count=items,
        replications=REPLICATIONS,
        scorer="numeric",
    )
    return fill(config).config_path


def _figure(config: Path, step: str) -> dict[str, float]:
    return json.loads(measure(python(FIGURE, config, step), config.parent).output)


def _command(name: str, config: Path) -> list[str]:
    return [str(Path(sys.executable).with_name("itemeval-assets")), name, str(config), "--json"]


def _small_runs(folder: Path) -> tuple[float, float, int]:
    """CPU seconds that the assets add to a run that calls, and to one that does not; and how many
    packages of figures the latter loads. Of each the least: others use the machine, too."""
    took: dict[tuple[str, int], list[float]] = {}
    loaded = 0
    for trial in range(RUNS):
        for how in ("with", "without"):
            small = declare(
                folder / f"{how} {trial}",
                prompts=2,
                judges=2,
                item_count=20,
                replications=1,
                scorer="numeric",
            )
            for turn in (0, 1):
                done = measure(python(RUN, small, how), small.parent)
                found = json.loads(done.output.splitlines()[-1])
                took.setdefault((how, turn), []).append(found["cpu_s"])
                loaded = max(loaded, turn * found["loaded"])
    first, again = (min(took["with", turn]) - min(took["without", turn]) for turn in (0, 1))
    return max(0.0, first), max(0.0, again), loaded


if __name__ == "__main__":
    main()
