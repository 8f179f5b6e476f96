"""Logs of answers that no log is of: so each row is traced to one, as those of calls are."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalSample,
    EvalSpec,
    EvalStats,
)
from inspect_ai.model import ChatMessageUser, ModelOutput

from itemeval_assets.core.design.cells.pending import Cell


class GivenAnswer(NamedTuple):
    """An answer that is there already: its cell, its item, and its text."""

    cell: Cell
    item: Mapping[str, Any]
    text: str


def log_of_answers(
    name: str, model: str, task_id: str, created: str, answers: Iterable[GivenAnswer]
) -> EvalLog:
    """A log with a sample for each answer. No usage: nobody knows what they cost."""
    samples = [_sample(answer, model, task_id, created) for answer in answers]
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created=created,
            task=name,
            task_id=task_id,
            run_id=task_id,
            dataset=EvalDataset(samples=len(samples), sample_ids=[one.id for one in samples]),
            model=model,
            config=EvalConfig(),
        ),
        stats=EvalStats(started_at=created, completed_at=created),
        samples=samples,
    )


def _sample(answer: GivenAnswer, model: str, task_id: str, created: str) -> EvalSample:
    id, epoch = answer.cell
    output = ModelOutput.from_content(model, answer.text)
    asked = answer.item["input"]
    return EvalSample(
        id=id,
        epoch=epoch,
        input=asked,
        target=answer.item["target"] or "",
        messages=[ChatMessageUser(content=asked), output.message],
        output=output,
        uuid=hashlib.sha256(f"{task_id}:{id}:{epoch}".encode()).hexdigest()[:22],
        metadata={name: answer.item[name] for name in ("dataset_id", "dataset_revision")},
        completed_at=created,
    )
