"""Where each column of gradings_long is taken from: {its name there: its name in the source}."""

from .schemas import GRADINGS, GRADINGS_LONG

FROM_SOLUTIONS = {
    "dataset_id": "dataset_id",
    "dataset_revision": "dataset_revision",
    "model": "model",
    "prompt_name": "prompt_name",
    "prompt_hash": "prompt_hash",
    "model_config_name": "model_config_name",
    "gen_condition_slug": "condition_slug",
    "solution": "solution",
    "temperature_requested": "temperature_requested",
    "temperature_effective": "temperature_effective",
    "reasoning_effort": "reasoning_effort",
    "gen_input_tokens": "input_tokens",
    "gen_output_tokens": "output_tokens",
    "gen_total_tokens": "total_tokens",
    "gen_reasoning_tokens": "reasoning_tokens",
    "gen_usd": "usd",
    "gen_latency_s": "latency_s",
    "gen_run_id": "run_id",
    "gen_log_file": "log_file",
}
_RENAMED = {
    "replication": "epoch",
    "grade_input_tokens": "input_tokens",
    "grade_output_tokens": "output_tokens",
    "grade_total_tokens": "total_tokens",
    "grade_usd": "usd",
    "grade_latency_s": "latency_s",
    "grade_run_id": "run_id",
    "grade_log_file": "log_file",
}
FROM_GRADINGS = {
    name: _RENAMED.get(name, name)
    for name in GRADINGS_LONG.column_names
    if name not in FROM_SOLUTIONS and _RENAMED.get(name, name) in GRADINGS.column_names
}
