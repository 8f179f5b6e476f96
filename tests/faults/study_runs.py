"""A small study, run stage by stage without Dagster, and what a fault has lost of it.

What is measured comes from the model server, which knows what it answered and for how much:
not from the tables it is compared with.
"""

import math
import os
import uuid
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from itemeval_assets import stages
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.dagster_io.naming.partitions import by_partition
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.stages.calls.gate import open_gate
from itemeval_assets.stages.calls.stage_run import StageRun
from itemeval_assets.storage.study.inputs import load_prices
from itemeval_assets.storage.study.store import open_store
from tests.model_server import ModelServer, Request, usual_content
from tests.studies import write_study
from tests.whole.looking import PRICE, rows, write_prices

__all__ = [
    "IS_LONG",
    "TIMES",
    "Loss",
    "assert_books_agree",
    "declare",
    "loss_of",
    "run_stages",
    "some",
    "table_contents",
    "unbooked_usd",
]

# How often each fault is injected: twice in `make faults`, and more with TEST_FAULTS=20.
TIMES = int(os.environ.get("TEST_FAULTS", "1"))
IS_LONG = "TEST_LONG" in os.environ


class Loss(NamedTuple):
    """Rows that should be there and are not; dollars that the server charged and nobody booked;
    calls made again although their answers had arrived."""

    rows: int = 0
    usd: float = 0.0
    calls_repeated: int = 0

    def __add__(self, other: "Loss") -> "Loss":  # type: ignore[override]
        repeated = self.calls_repeated + other.calls_repeated
        return Loss(self.rows + other.rows, self.usd + other.usd, repeated)


def declare(folder: Path, *, items: int = 3, **changes: Any) -> Path:
    """A study of one model and one judge of the model server, both with a price."""
    extra = {
        "cache": False,
        "budget": {"pricing_path": write_prices(folder, "m", "n", "judge"), "max_usd": 100_000},
        **changes.pop("extra", {}),
    }
    given = {"models": ["openai-api/test/m"], "graders": ["openai-api/test/judge"]}
    solvers = {"max_tokens": 100, "max_retries": 0, **changes.pop("solvers", {})}
    return write_study(folder, items=items, solvers=solvers, extra=extra, **{**given, **changes})


def run_stages(config: Path) -> None:
    """What `itemeval-assets run` does, in the same order, without Dagster around it."""
    study = load_study(config)
    store, prices = open_store(study), load_prices(study)
    with open_gate(
        study, store, prices, holder=f"test-{uuid.uuid4().hex}", consent_usd=math.inf
    ) as gate:
        store.take_ownership(study)
        store.replace("items", Partition(()), stages.items.load(study, store).table)
        for table, ledger, partitions in (
            ("solutions", "generation_ledger", study.generate_partitions()),
            ("gradings", "grading_ledger", study.grade_partitions()),
        ):
            run = StageRun(
                study=study,
                store=store,
                prices=prices,
                items=store.read("items"),
                run_id=str(uuid.uuid4()),
                gate=gate,
                listener=lambda _: None,
                say=lambda _: None,
            )
            with store.claimed(partitions, run.run_id, lambda *_: None):
                if table == "solutions":
                    outcome = stages.solutions.generate(run, partitions)
                else:
                    solutions = store.read("solutions")
                    outcome = stages.gradings.grade(run, solutions, partitions)
                for partition in partitions:
                    store.upsert(table, partition, by_partition(outcome.rows, table)[partition])
                booked = stages.ledger.book(store, outcome, run.run_id)
                for partition in partitions:
                    store.upsert("bookings", partition, by_partition(booked, ledger)[partition])
                stages.ledger.settle(store, outcome)
                gate.booked()
        long = stages.gradings_long.join(store.read("gradings"), store.read("solutions"))
        for partition in study.grade_partitions():
            store.replace(
                "gradings_long", partition, by_partition(long, "gradings_long")[partition]
            )
        stages.export.write(study, store)


def loss_of(config: Path, server: ModelServer, *, items: int, in_flight: int = 0) -> Loss:
    """What is missing of a study of `items` items once it has been run to its end.

    `in_flight`: calls whose answers nobody waited for any more; they may be made again.
    """
    solutions, gradings = rows(config, "solutions"), rows(config, "gradings")
    sound = [row for row in (*solutions, *gradings) if not row["error"]]
    answered = [request for request in server.requests if _is_paid(request)]
    made = Counter((request.model, request.prompt) for request in answered)
    inputs = {row["item_id"]: row["input"] for row in rows(config, "items")}
    # Of models that answer alike, a judge is asked the same once for each.
    asked = [(inputs[row["item_id"]], row["solution"]) for row in solutions if row["solution"]]
    repeated = sum(
        max(0, count - max(1, sum(item in prompt and answer in prompt for item, answer in asked)))
        for (_, prompt), count in made.items()
        if count > 1
    )
    return Loss(
        rows=3 * items - len(sound),
        usd=unbooked_usd(config, server, in_flight),
        calls_repeated=max(0, repeated - in_flight),
    )


def unbooked_usd(config: Path, server: ModelServer, in_flight: int = 0) -> float:
    """What the server charged and the ledger lacks, beyond calls that were in flight."""
    booked = sum(row["usd"] or 0.0 for row in rows(config, "ledger"))
    charged = sorted(_charged(request) for request in server.requests if _is_paid(request))
    missing, unseen = sum(charged) - booked, sum(charged[-in_flight:]) if in_flight else 0.0
    return 0.0 if -1e-6 < missing < unseen + 1e-6 else missing


def assert_books_agree(config: Path) -> None:
    """The ledger and the rows agree, by our own reckoning."""
    assert stages.ledger.mismatches(open_store(load_study(config))) == []


def some(places: Iterable[int], times: int = TIMES) -> list[int]:
    """So many of these places, spread over all of them, the first and the last included."""
    found = list(places)
    if times >= len(found):
        return found
    step = (len(found) - 1) / max(1, times - 1)
    return sorted({found[round(number * step)] for number in range(times)})


def table_contents(config: Path) -> dict[str, list[dict[str, Any]]]:
    """What no two runs differ in: the rows without their times, runs and logs."""
    passing = {"run_id", "created_at", "latency_s", "log_file", "sample_uuid"}
    passing |= {f"{stage}_{name}" for stage in ("gen", "grade") for name in passing}
    return {
        table: [
            {name: value for name, value in row.items() if name not in passing}
            for row in rows(config, table)
        ]
        for table in ("items", "solutions", "gradings", "gradings_long")
    }


def _is_paid(request: Request) -> bool:
    return request.status == 200 and request.delivered


def _charged(request: Request) -> float:
    """What a provider with the prices of `write_prices` charges for a usual answer."""
    completion = len(usual_content(request)) // 4
    prompt = request.prompt_tokens * PRICE["input_usd_per_mtok"]
    return (prompt + completion * PRICE["output_usd_per_mtok"]) / 1e6
