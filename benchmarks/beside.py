"""What three tools do with the same calls when something goes wrong: ours and two others.

    python -m benchmarks.beside [--write]

Each tool answers 120 questions by the same server, which takes a quarter of a second for each, on
ten connections. Counted are the requests that reach the server. Each tool has its own defaults, the
response cache among them, and no retries. `--write` puts the table into
docs/comparison.md. itemeval comes from `.itemeval/` (`make bench` makes it); without it, its column
is empty.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from tests.model_server import ModelServer, Request, error_answer
from tests.studies import write_study

from .peer import RUN, find_itemeval

CALLS, LATENCY_S = 120, 0.25
MODEL = "openai-api/test/m"
PAGE = Path(__file__).parents[1] / "docs" / "comparison.md"
MARKS = ("<!-- trials -->\n", "<!-- end of trials -->\n")
TASK = f"""
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import match
from inspect_ai.solver import generate

@task
def sums():
    questions = [
        Sample(input=f"What is {{n}} + {{n}}?", target=str(2 * n), id=n) for n in range({CALLS})
    ]
    return Task(questions, solver=generate(), scorer=match(numeric=True))
"""
OPTIONS = ("--max-connections", "10", "--display", "none", "--log-dir", "logs")


@dataclass(frozen=True)
class Tool:
    """A command in a folder that is prepared for it, and the one that goes on where it ended."""

    name: str
    begin: tuple[str, ...]
    again: Callable[[Path], tuple[str, ...]]


@contextmanager
def prepared(tool: Tool, reply: Callable[[Request], object] | None = None) -> Iterator["Trial"]:
    """A folder with the study and the task, and a server that nobody has asked."""
    with tempfile.TemporaryDirectory() as place, ModelServer(reply=reply) as server:  # type: ignore[arg-type]
        server.behaviour = server.behaviour.__class__(latency_s=LATENCY_S)
        folder = Path(place)
        config = write_study(
            folder,
            models=[MODEL],
            graders=[],
            items=CALLS,
            solvers={"max_connections": 10, "max_retries": 0},
            extra={"budget": {"confirm_above_usd": 1e6}},
        )
        document = yaml.safe_load(config.read_text())
        del document["solvers"]["max_connections"], document["solvers"]["max_retries"]
        document |= {"output_dir": "theirs"}
        document["benchmark"] |= {"adapter": "hf", "datasets": [{"id": "made/here"}]}
        (folder / "itemeval.yaml").write_text(yaml.safe_dump(document))
        (folder / "task.py").write_text(TASK)
        environment = {
            **os.environ,
            "TEST_BASE_URL": server.base_url,
            "TEST_API_KEY": "none",
            "DAGSTER_HOME": str(folder / "home"),
            "INSPECT_CACHE_DIR": str(folder / "cache"),
        }
        (folder / "home").mkdir()
        yield Trial(tool, folder, server, environment)


@dataclass(frozen=True)
class Trial:
    """One tool at work in its folder."""

    tool: Tool
    folder: Path
    server: ModelServer
    environment: Mapping[str, str]

    def start(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def begin(self) -> subprocess.Popen[bytes]:
        return self.start(self.tool.begin)

    def go_on(self) -> None:
        self.start(self.tool.again(self.folder)).wait()

    def wait_for(self, answers: int) -> None:
        until = time.monotonic() + 120
        while self.server.answered < answers and time.monotonic() < until:
            time.sleep(0.01)


def stopped(tool: Tool, by: signal.Signals) -> str:
    """A signal after 60 answers; then the tool goes on."""
    with prepared(tool) as trial:
        process = trial.begin()
        trial.wait_for(60)
        os.killpg(process.pid, by)
        process.wait()
        before = trial.server.count()
        trial.go_on()
        return f"{trial.server.count() - CALLS} of {before} paid twice"


def two_at_once(tool: Tool) -> str:
    """Two processes of one study, begun together."""
    with prepared(tool) as trial:
        for process in [trial.begin(), trial.begin()]:
            process.wait()
        return f"{trial.server.count() - CALLS} calls too many"


def failures(tool: Tool) -> str:
    """A tenth of the questions fail at first; then the tool goes on, and they are answered."""
    fails = {"now": True}

    def reply(request: Request) -> object:
        is_bad = any(f" {n}5 + {n}5?" in request.prompt for n in ["", *range(1, 12)])
        return error_answer(400, "bad luck") if is_bad and fails["now"] else None

    with prepared(tool, reply) as trial:
        trial.begin().wait()
        failed = sum(one.status != 200 for one in trial.server.requests)
        fails["now"] = False
        trial.server.reset_counts()
        trial.go_on()
        return f"{failed} failed; {trial.server.count()} called again"


TRIALS = {
    "killed (`kill -9`) after 60 of 120 answers, then begun again": partial(
        stopped, by=signal.SIGKILL
    ),
    "Ctrl-C after 60 of 120 answers, then begun again": partial(stopped, by=signal.SIGINT),
    "two processes of one study at once, 120 calls to make": two_at_once,
    "12 calls fail with an error of the provider, then begun again": failures,
}


def tools() -> list[Tool]:
    """Those that are installed here."""
    command = Path(sys.executable).with_name("itemeval-assets")
    ours = (str(command), "run", "study.yaml", "--yes")
    inspect = (sys.executable, "-m", "inspect_ai")
    found = [
        Tool("itemeval_assets", ours, lambda folder: ours),
        Tool(
            "inspect_ai alone",
            (*inspect, "eval", "task.py", "--model", MODEL, "--no-fail-on-error", *OPTIONS),
            lambda folder: (*inspect, "eval-retry", *_logs(folder), *OPTIONS),
        ),
    ]
    if peer := find_itemeval():
        lines = RUN.splitlines()
        only_generate = "\n".join(lines[: lines.index(next(filter(_grades, lines)))])
        theirs = (str(peer), "-c", only_generate, "itemeval.yaml", "items.jsonl")
        found.insert(1, Tool("itemeval 0.2.0", theirs, lambda folder: theirs))
    return found


def _grades(line: str) -> bool:
    return line.startswith("run_grade")


def _logs(folder: Path) -> list[str]:
    return [f"logs/{path.name}" for path in sorted((folder / "logs").glob("*.eval"))]


def main() -> None:
    """Make the trials, and print or write the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--write", action="store_true")
    write, there = parser.parse_args().write, tools()
    lines = [
        f"| what happens | {' | '.join(tool.name for tool in there)} |",
        f"|---|{'---|' * len(there)}",
    ]
    for title, trial in TRIALS.items():
        cells = []
        for tool in there:
            print(f"{title}: {tool.name} ...", end=" ", file=sys.stderr, flush=True)
            cells.append(trial(tool))
            print(cells[-1], file=sys.stderr)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    table = "\n".join(lines) + "\n"
    print(table)
    if write:
        before, _, rest = PAGE.read_text("utf-8").partition(MARKS[0])
        _, end, after = rest.partition(MARKS[1])
        PAGE.write_text(before + MARKS[0] + table + end + after, "utf-8")


if __name__ == "__main__":
    main()
