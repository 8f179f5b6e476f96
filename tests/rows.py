"""Rows of the stored tables, with sensible values for whatever a test does not care about."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from itemeval_assets.core.design.cells.pending import solution_fingerprint
from itemeval_assets.core.records.scores import PairCells, graded
from itemeval_assets.core.records.summaries import Graded
from itemeval_assets.core.tables.cells import CELLS
from itemeval_assets.core.tables.schemas import GRADINGS_LONG, TABLES, arrow_schema

__all__ = [
    "STAMP",
    "cells",
    "event",
    "events",
    "grading",
    "item",
    "outcome",
    "pairs",
    "solution",
    "table",
]

Row = dict[str, Any]
STAMP = "2026-01-01T00:00:00Z"
TOKENS = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


def table(name: str, rows: Iterable[Mapping[str, Any]] = ()) -> pa.Table:
    """The rows as the stored table `name`."""
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(TABLES[name]))


def item(item_id: str = "q1", **values: Any) -> Row:
    return {
        "item_id": item_id,
        "dataset_id": "items.jsonl",
        "dataset_revision": "r0",
        "input": f"What is {item_id}?",
        "target": "4",
        "grading_scheme": None,
        "metadata_json": "{}",
        "created_at": STAMP,
        **values,
    }


def solution(item_id: str = "q1", epoch: int = 1, text: str | None = "4", **values: Any) -> Row:
    return {
        "study": "toy",
        "run_id": "run1",
        "condition_id": "g1",
        "condition_slug": "g",
        "item_id": item_id,
        "dataset_id": "items.jsonl",
        "dataset_revision": "r0",
        "epoch": epoch,
        "model": "mockllm/a",
        "prompt_name": "short",
        "prompt_hash": "0" * 12,
        "model_config_name": "default",
        "solution": text,
        "error": None,
        "usd": 0.25,
        **TOKENS,
        "log_file": "logs/generate/g1/a.eval",
        "sample_uuid": f"{item_id}-{epoch}",
        "created_at": STAMP,
        **values,
    }


def grading(
    item_id: str = "q1", epoch: int = 1, score: float | None = 1.0, of: str = "4", **values: Any
) -> Row:
    """A grading of the solution `of`; with `score=None`, a parse failure."""
    failed = score is None
    return {
        "study": "toy",
        "run_id": "run1",
        "grade_condition_id": "j1",
        "grade_condition_slug": "j",
        "gen_condition_id": "g1",
        "item_id": item_id,
        "epoch": epoch,
        "grade_kind": "judge",
        "grader_name": "judge",
        "grader_model": "mockllm/judge",
        "score": score,
        "score_raw": None if failed else repr(score),
        "parse_ok": not failed,
        "parse_error": "no_json_object" if failed else None,
        "judge_completion": "a reply",
        "error": None,
        "usd": 0.5,
        **TOKENS,
        "log_file": "logs/grade/j1/a.eval",
        "created_at": STAMP,
        "sample_uuid": f"j-{item_id}-{epoch}",
        "solution_hash": solution_fingerprint(of),
        **values,
    }


def event(
    item_id: str = "q1",
    replication: int = 1,
    score: float | None = 1.0,
    parse_error: str | None = None,
    **values: Any,
) -> Row:
    """A row of gradings_long and of cells; without score and `parse_error`, its call failed."""
    unscored = "errored" if parse_error is None else "unparsed"
    return {
        **dict.fromkeys(GRADINGS_LONG.column_names),
        "item_id": item_id,
        "replication": replication,
        "gen_condition_id": "g1",
        "grade_condition_id": "j1",
        "grade_kind": "judge",
        "score": score,
        "parse_ok": score is not None,
        "parse_error": parse_error,
        "gen_input_tokens": 10,
        "gen_usd": 0.25,
        "gen_latency_s": 2.0,
        "gen_log_file": "logs/generate/g1/a.eval",
        "grade_input_tokens": 10,
        "grade_usd": 0.5,
        "grade_latency_s": 3.0,
        "grade_log_file": "logs/grade/j1/a.eval",
        "state": unscored if score is None else "done",
        "reason": parse_error,
        **values,
    }


def cells(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Events as the table `cells`."""
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(CELLS))


def events(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Events as the table `gradings_long`."""
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(GRADINGS_LONG))


def pairs(rows: Iterable[Mapping[str, Any]]) -> list[PairCells]:
    """Events by generate x grade condition, which go by their ids."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["gen_condition_id"], row["grade_condition_id"]), []).append(row)
    return [PairCells(*pair, cells(own)) for pair, own in found.items()]


def outcome(
    scores: Iterable[float], failures: Mapping[str, int] | None = None, **left_out: int
) -> Graded:
    """What came of cells with these scores, and of so many others by code and by state."""
    unparsed = [code for code, count in (failures or {}).items() for _ in range(count)]
    others = [state for state, count in left_out.items() for _ in range(count)]
    rows = [event(score=score) for score in scores]
    rows += [event(score=None, parse_error=code) for code in unparsed]
    return graded(cells([*rows, *(event(score=None, state=state) for state in others)]))
