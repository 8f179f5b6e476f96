"""Calls in batches whose cells are asked anew, since their question has changed: they are billed.

Their answers are fetched with those of the batch, and nobody reads them. What they cost is booked
to the run that sent them.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.records.batches import KeptBatch, Line
from itemeval_assets.core.text.words import counted
from itemeval_assets.engine.calls.batches.billed import log_of_billed
from itemeval_assets.engine.calls.tasks import digest_of
from itemeval_assets.engine.logs.broken import write_log
from itemeval_assets.engine.rows import PRICE
from itemeval_assets.stages.outcome import Outcome
from itemeval_assets.storage.study.layout import log_key

from .recovery.evidence import collect
from .stage_run import Caller, StageRun

if TYPE_CHECKING:
    from inspect_ai.model import ModelUsage

    from itemeval_assets.engine.calls.batches.keeper import Keeper

    from .making import PlannedCalls


def is_superseded(planned: "Mapping[Partition, PlannedCalls]", line: Line) -> bool:
    """Whether the cell of a line is asked anew by these calls, with another text."""
    calls = planned.get(line.partition)
    sample = calls.samples.get(line.cell) if calls else None
    return sample is not None and digest_of(sample[0].input) != line.digest


def book_superseded(caller: Caller, run: StageRun, keeper: "Keeper", outcome: Outcome) -> None:
    """Add the bookings of what was fetched of such lines to the outcome, and forget the lines.

    A log tells of them first. A process that is killed then leaves them: they are fetched again,
    and the log is the same.
    """
    for name, answers in keeper.superseded().items():
        batch = keeper.batch(name)
        by_partition: dict[Partition, dict[str, ModelUsage]] = {}
        for id, used in answers.items():
            if used:
                by_partition.setdefault(batch.lines[id].partition, {})[id] = used
        for partition, billed in by_partition.items():
            key = _log(caller, run, batch, partition, billed)
            collect(caller, run, [(partition, key)], outcome)
        keeper.forget(name, answers.keys())
        run.say(
            f"{counted(len(answers), 'call')} of batch {batch.id} were sent before their items or "
            "solutions changed: what they cost is kept"
        )


def _log(
    caller: Caller,
    run: StageRun,
    batch: KeptBatch,
    partition: Partition,
    used: "Mapping[str, ModelUsage]",
) -> str:
    """Store the log of what lines used; its key."""
    model = caller.model(partition)
    metadata = {
        "study": run.study.name,
        "run_id": batch.run_id,
        **partition.columns,
        "model": model,
        PRICE: run.book.evidence(model),
    }
    log = log_of_billed(batch, used, metadata)
    key = log_key(partition, log.eval.created, log.eval.task_id)
    with tempfile.TemporaryDirectory(prefix="itemeval_assets_") as folder:
        path = Path(folder) / "billed.eval"
        write_log(log, path)
        run.store.backend.upload(path, key, give_away=True)
    return key
