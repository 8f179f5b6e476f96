"""What was called, by whom, and what of it was paid for twice."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from itemeval_assets.engine.study_files import load_study
from tests.model_server import Behaviour, ModelServer, Request
from tests.whole.looking import assert_reconciled, rows

from .machines import Machine

__all__ = ["Calls", "Worker", "collect", "table", "write_evidence"]

# Logs are sent to the bucket every two seconds, and a send takes its time on a busy machine. What
# was answered before that is kept when a machine is lost.
UNSENT_S = 2.0 + 2.0
DOCS = Path(__file__).resolve().parents[2] / "docs"
KEPT, PAGE = DOCS / "evidence" / "deploy.json", DOCS / "deploying.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


@dataclass
class Calls:
    """The calls that arrived at one model server, which one worker alone knows of."""

    server: ModelServer
    latency_s: float
    arrived: list[tuple[float, Request]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def serve(cls, latency_s: float) -> Iterator["Calls"]:
        with ModelServer(Behaviour(latency_s=latency_s)) as server:
            calls = cls(server, latency_s)
            server.reply = calls._note
            yield calls

    def _note(self, request: Request) -> None:
        self.arrived.append((time.monotonic(), request))

    @property
    def base_url(self) -> str:
        return self.server.base_url

    def answered(self) -> list[Request]:
        return [request for _, request in list(self.arrived) if request.delivered]

    def in_flight(self) -> int:
        return sum(not request.delivered for _, request in list(self.arrived))


@dataclass
class Worker:
    """A Celery worker, and the model server that it calls."""

    name: str
    machine: Machine
    calls: Calls


def collect(
    instance: dg.DagsterInstance,
    workers: Sequence[Worker],
    kill: dict[str, Any],
    config: Path,
) -> dict[str, Any]:
    """All figures; `holds` says whether the promises were kept."""
    tables = {name: cells_of(config, name) for name in ("solutions", "gradings")}
    needed = needed_calls(config)
    made = sum(len(worker.calls.arrived) for worker in workers)
    dead = [worker for worker in workers if worker.name == kill["victim"]]
    again = [age for victim in dead for age in called_again(workers, victim, kill["at"])]
    lost = [age for age in again if age is not None]
    adds_up = reconciles(config)
    figures: dict[str, Any] = {
        "calls needed": needed,
        "calls made": made,
        "made twice": made - needed,
        "rows of solutions, gradings": f"{tables['solutions']}, {tables['gradings']}",
    }
    if dead:
        kept = sum(len(victim.calls.answered()) for victim in dead) - len(lost)
        figures |= {
            "made twice: in flight at the kill": len(again) - len(lost),
            "made twice: answered, not sent to the bucket yet": len(lost),
            "age of the oldest of these, seconds": round(max(lost, default=0.0), 2),
            "answers of the dead worker that were kept": kept,
        }
    figures |= {
        **{f"calls by {worker.name}": len(worker.calls.arrived) for worker in workers},
        "runs": runs_of(instance),
        "ledger reconciles with rows and logs": adds_up,
    }
    figures["holds"] = (
        adds_up
        and made - needed == len(again)
        and max(lost, default=0.0) <= UNSENT_S
        and tables["solutions"] + tables["gradings"] == needed
    )
    return figures


def called_again(workers: Sequence[Worker], victim: Worker, killed_at: float) -> list[float | None]:
    """Calls of the victim that somebody made again: seconds from answer to kill, or None.

    None: the call was in flight, and nobody received its answer.
    """
    others = {
        (request.model, request.prompt)
        for worker in workers
        if worker is not victim
        for _, request in worker.calls.arrived
    }
    return [
        killed_at - at - victim.calls.latency_s if request.delivered else None
        for at, request in victim.calls.arrived
        if (request.model, request.prompt) in others
    ]


def needed_calls(config: Path) -> int:
    """One call for each cell of the design that a model is asked for."""
    study = load_study(config)
    items = len((config.parent / "items.jsonl").read_text().splitlines())
    judges = sum(condition.grader.call is not None for condition in study.design.grade)
    return items * len(study.design.generate) * (1 + judges)


def cells_of(config: Path, name: str) -> int:
    """Rows without an error; each is the only one of its cell."""
    found = [row for row in rows(config, name) if row["error"] is None]
    parts = ("condition_id", "gen_condition_id", "grade_condition_id", "item_id", "epoch")
    cells = {tuple(row.get(part) for part in parts) for row in found}
    if len(cells) != len(found):
        raise AssertionError(f"{name}: {len(found)} rows for {len(cells)} cells")
    return len(found)


def reconciles(config: Path) -> bool:
    """Whether the ledger adds up with the rows and with the usage in the logs."""
    try:
        assert_reconciled(config)
    except AssertionError:
        return False
    return True


def runs_of(instance: dg.DagsterInstance) -> dict[str, Any]:
    """How many runs ended how, how many took over from another one, and why that was."""
    runs = instance.get_runs()
    retries = [run for run in runs if run.parent_run_id]
    reasons = Counter(
        _reason(event.message)
        for run in runs
        if run.status is dg.DagsterRunStatus.FAILURE
        for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    )
    return {
        **Counter(run.status.value.lower() for run in runs),
        "taken over by another one": len(retries),
        "why they failed": "; ".join(f"{n} x {why}" for why, n in reasons.items()) or "none did",
    }


def _reason(message: str) -> str:
    """Why a run failed: what run monitoring found out, or the beginning of its message."""
    found = re.search(r"'(.*?)'\. Marking run", message)
    return found[1] if found else message.splitlines()[0][:100]


def table(found: dict[str, dict[str, Any]], head: str = "killed") -> str:
    """The figures as a Markdown table: a line for each, a column for each experiment."""
    columns = [dict(_lines("", figures)) for figures in found.values()]
    names = dict.fromkeys(name for column in columns for name in column)
    first = [head, *found], ["---", *("---:" for _ in found)]
    body = ([name, *(column.get(name, "") for column in columns)] for name in names)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (*first, *body))


def _lines(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _lines(f"{prefix}: {name}" if prefix else str(name), inner)
    elif isinstance(value, bool):
        yield prefix, "yes" if value else "no"
    else:
        yield prefix, str(value)


def write_evidence(found: dict[str, dict[str, Any]]) -> None:
    """Keep the figures beside the docs, and show all that are kept in the page."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept |= found
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=2) + "\n")
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n{table(kept)}\n{end}{after}")
