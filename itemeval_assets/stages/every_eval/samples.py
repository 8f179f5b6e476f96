"""The rows of a record: one for each score."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from itemeval_assets.core.config.sections import TaskBenchmark
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.prompts.chats import IS_CHAT, readable

from ..figures.planned import PlannedCells
from ..figures.scores.records import Score
from .record import SCHEMA_VERSION, result_id

_TOKENS = {
    "input_tokens": "gen_input_tokens",
    "output_tokens": "gen_output_tokens",
    "total_tokens": "gen_total_tokens",
}
# Of gradings_long, beside those of a cell.
COLUMNS = (
    *("solution", "score_raw", "scorer_name", "gen_reasoning_tokens", "gen_latency_s"),
    *("gen_run_id", "grade_run_id", "created_at"),
    *_TOKENS.values(),
)


def least_right(study: Study, score: Score) -> float | None:
    """The score of a right answer; null where no scale says which it is.

    So of tasks: a row would have to show all turns, which only the log has.
    """
    if score.scale is None or isinstance(study.config.benchmark, TaskBenchmark):
        return None
    return score.scale[1]


def items_by_id(planned: PlannedCells) -> dict[str, dict[str, Any]]:
    """The rows of the items, and whether they are chats."""
    is_chat = bool(planned.study.config.benchmark.mapping.chat)
    return {row["item_id"]: {**row, IS_CHAT: is_chat} for row in planned.items.to_pylist()}


def samples_of(
    score: Score,
    cells: pa.Table,
    items: Mapping[str, Mapping[str, Any]],
    least: float,
    shared: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """One row for each of the cells behind a mean score.

    `least`: the score from which on an answer is right. `shared`: what all rows of a record have.
    """
    assert score.grade_condition_id
    joined = result_id(score.gen_condition_id, score.grade_condition_id)
    for cell in cells.to_pylist():
        yield {
            "schema_version": SCHEMA_VERSION,
            **shared,
            "evaluation_result_id": joined,
            **_sample(cell, items[cell["item_id"]], least),
        }


def _sample(cell: Mapping[str, Any], item: Mapping[str, Any], least: float) -> dict[str, Any]:
    question = readable(item["input"]) if item[IS_CHAT] else item["input"]
    reference = [item["target"]] if item["target"] else []
    return {
        "sample_id": cell["item_id"],
        "sample_hash": hashlib.sha256("".join([question, *reference]).encode()).hexdigest(),
        "interaction_type": "single_turn",
        "input": {"raw": question, "reference": reference},
        "output": {"raw": [cell["solution"] or ""]},
        "answer_attribution": _extracted(cell),
        "evaluation": {"score": cell["score"], "is_correct": cell["score"] >= least},
        "token_usage": _tokens(cell),
        "performance": _seconds(cell["gen_latency_s"]),
        "metadata": {
            "dataset_id": cell["dataset_id"],
            "replication": str(cell["replication"]),
        },
    }


def _extracted(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a scorer took for the answer. A judge reads all of it."""
    if cell["scorer_name"] is None or cell["score_raw"] is None:
        return []
    return [
        {
            "turn_idx": 0,
            "source": "output.raw",
            "extracted_value": cell["score_raw"],
            "extraction_method": cell["scorer_name"],
            "is_terminal": True,
        }
    ]


def _tokens(cell: Mapping[str, Any]) -> dict[str, int] | None:
    found = {name: cell[column] for name, column in _TOKENS.items()}
    if None in found.values():
        return None
    reasoning = cell["gen_reasoning_tokens"]
    return found if reasoning is None else {**found, "reasoning_tokens": reasoning}


def _seconds(latency: float | None) -> dict[str, float] | None:
    return None if latency is None else {"latency_ms": 1000 * latency}
