"""gradings_long: gradings left-joined to their solutions, one row per grading event."""

import pyarrow as pa

from itemeval_assets.core.tables import GRADINGS_LONG, arrow_schema

__all__ = ["join"]

_FROM_SOLUTIONS = {
    "dataset_id": "dataset_id",
    "dataset_revision": "dataset_revision",
    "model": "model",
    "prompt_name": "prompt_name",
    "prompt_hash": "prompt_hash",
    "model_config_name": "model_config_name",
    "condition_slug": "gen_condition_slug",
    "solution": "solution",
    "temperature_requested": "temperature_requested",
    "temperature_effective": "temperature_effective",
    "reasoning_effort": "reasoning_effort",
    "input_tokens": "gen_input_tokens",
    "output_tokens": "gen_output_tokens",
    "total_tokens": "gen_total_tokens",
    "reasoning_tokens": "gen_reasoning_tokens",
    "usd": "gen_usd",
    "latency_s": "gen_latency_s",
    "run_id": "gen_run_id",
    "log_file": "gen_log_file",
}
_FROM_GRADINGS = {
    "epoch": "replication",
    "input_tokens": "grade_input_tokens",
    "output_tokens": "grade_output_tokens",
    "total_tokens": "grade_total_tokens",
    "usd": "grade_usd",
    "latency_s": "grade_latency_s",
    "run_id": "grade_run_id",
    "log_file": "grade_log_file",
}


def join(gradings: pa.Table, solutions: pa.Table) -> pa.Table:
    """The long rows of some gradings; as many rows as `gradings`, in their order.

    Joins on (gen_condition_id, item_id, epoch) = (condition_id, item_id, epoch).
    """
    schema = arrow_schema(GRADINGS_LONG)
    place = {key: index for index, key in enumerate(_keys(solutions, "condition_id"))}
    found = [place.get(key) for key in _keys(gradings, "gen_condition_id")]
    matched = solutions.take(pa.array(found, pa.int64()))
    columns = {
        **{_FROM_GRADINGS.get(name, name): gradings[name] for name in gradings.column_names},
        **{long: matched[name] for name, long in _FROM_SOLUTIONS.items()},
    }
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _keys(table: pa.Table, condition: str) -> list[tuple[str, str, int]]:
    columns = (table[name].to_pylist() for name in (condition, "item_id", "epoch"))
    return list(zip(*columns, strict=True))
