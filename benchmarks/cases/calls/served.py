"""(j) Calls over HTTP, to a server of one's own process that answers at once.

    python -m benchmarks.cases.calls.served [--items 200] [--trials 5] [--alone]

Four prompts and one model: `4 x items` answers, each graded by a scorer and by a judge, as whole
processes, beside itemeval and with two workers. Of a small run: how long after the start of its
process the first call arrives, beside a process that only imports dagster and inspect_ai; the best
of the trials, one after the other in turns. `--alone` sends as many calls through inspect_ai
alone, with the log settings of a study, and tells the CPU milliseconds of each, and those of its
`generate` outside an eval.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import yaml

from benchmarks.peer import end_to_end, find_itemeval
from benchmarks.processes import Measured, measure, python
from benchmarks.targets import Target, report
from tests.model_server import read_counts, server_process

from .overhead import PROMPTS, declare_study

MODEL, JUDGE = "openai-api/test/m", "openai-api/test/judge"
ALONE = """
import asyncio, json, sys, time, inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.solver import generate
model, calls = sys.argv[1], int(sys.argv[2])
tasks = [
    Task([Sample(input=f"Prompt {p}. What is {n} + {n}?", id=n) for n in range(calls // 4)],
        name=f"t{p}", solver=generate()) for p in range(4)
]
def run(tasks):
    return inspect_ai.eval(tasks, model, log_dir="logs", display="none", log_level="error",
        max_tasks=4, score=False, log_realtime=False, log_buffer=1, acp_server=False)
run([Task([Sample(input="What is loaded?")], solver=generate())])
begun = time.process_time()
assert not any(sample.error for log in run(tasks) for sample in log.samples)
of_eval = time.process_time() - begun
async def generate_all():
    asked, gate = get_model(model), asyncio.Semaphore(10)
    async def ask(n):
        async with gate:
            await asked.generate(f"What is {n} + {n}?")
    await asyncio.gather(*(ask(n) for n in range(calls)))
begun = time.process_time()
asyncio.run(generate_all())
of_generate = time.process_time() - begun
print(json.dumps({"eval": of_eval / calls * 1000, "generate": of_generate / calls * 1000}))
"""


def main() -> None:
    """Measure, and report the ratios."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    calls, peer = 2 * PROMPTS * given.items, find_itemeval()
    facts: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place, server_process() as base_url:
        root = Path(place)
        os.environ |= {"TEST_BASE_URL": base_url, "TEST_API_KEY": "none"}
        first = [_first_call(root / f"small{n}", base_url) for n in range(given.trials)]
        if peer is not None:
            cpu_s = _cpu_s()
            theirs = end_to_end(peer, declare_served(root / "peer", given.items), calls)
            facts |= {"itemeval_s": theirs.seconds, "itemeval_cpu_s": _cpu_s() - cpu_s}
        for workers in (1, 2):
            cpu_s = _cpu_s()
            done = run_study(declare_served(root / f"ours{workers}", given.items), workers)
            facts |= {f"workers_{workers}_s": done.seconds}
            facts |= {f"workers_{workers}_cpu_s": _cpu_s() - cpu_s}
        if given.alone:
            alone = json.loads(measure(python(ALONE, MODEL, calls), root).output)
            facts |= {f"inspect_ai_{name}_cpu_ms_per_call": ms for name, ms in alone.items()}
    after, how = (
        min(one["s"] for one in first),
        f"best of {given.trials}; less `import dagster, inspect_ai`",
    )
    targets = [Target("first call after dagster and inspect_ai, s", after, 1.5, how)]
    if peer is not None:
        ratio, how = facts["itemeval_s"] / facts["workers_1_s"], "its seconds for the same / ours"
        name = f"one worker, beside itemeval, {calls:,} HTTP calls"
        targets.append(Target(name, ratio, 2.0, how, at_least=True))
    report(targets, calls=calls, first_call_after_imports=first, **facts)


def declare_served(folder: Path, items: int, solvers: Mapping[str, object] | None = None) -> Path:
    """The study of the benchmark `overhead`, whose model and judge a server is."""
    path = declare_study(folder, items)
    document = yaml.safe_load(path.read_text())
    document["solvers"] |= {"models": [MODEL], **(solvers or {})}
    document["graders"]["judge_0"]["model"] = JUDGE
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def run_study(config: Path, workers: int) -> Measured:
    """Run a study to its end, as a process of its own."""
    done = measure(_run(config, workers), config.parent)
    assert json.loads(done.output)["missing"] == 0
    return done


def _run(config: Path, workers: int) -> list[str]:
    program = "from itemeval_assets.cli.main import main; main()"
    return [*python(program), "run", str(config), "--yes", "--json", "--workers", str(workers)]


def _first_call(folder: Path, base_url: str) -> dict[str, float]:
    """Seconds, and those of CPU, from the start of a run to its first call, less its imports."""
    imports_cpu_s = _cpu_s()
    imports_s = measure(python("import dagster, inspect_ai"), folder.parent).seconds
    imports_cpu_s = _cpu_s() - imports_cpu_s
    config, known = declare_served(folder, 2), read_counts(base_url)["requests"]
    begun_s = time.monotonic()
    with subprocess.Popen(_run(config, 1), cwd=folder, stdout=subprocess.DEVNULL) as run:
        while read_counts(base_url)["requests"] == known:
            assert run.poll() is None
            time.sleep(0.01)
        used = psutil.Process(run.pid).cpu_times()
    arrived_s = read_counts(base_url)["arrived_s"][known]
    return {
        "s": arrived_s - begun_s - imports_s,
        "cpu_s": used.user + used.system - imports_cpu_s,
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
