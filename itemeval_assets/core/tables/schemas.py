"""The tables: grain, key, columns with types and units (seed: Outputs and Schemas).

Plain data, so that definitions load without pandas or pyarrow; `arrow_schema` builds
the schema that every write enforces.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = "1"

TOKEN_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


@dataclass(frozen=True)
class Column:
    """`type` is string, int32, int64, float64 or bool."""

    name: str
    type: str = "string"
    required: bool = False
    note: str = ""


@dataclass(frozen=True, eq=False)
class Table:
    """A stored table. `key` identifies a row; `grain` says in words what one row is.

    `partitioned_by`: the columns whose values make up a row's partition, where there is one rule.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partitioned_by: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]


@cache
def arrow_schema(table: Table) -> "pa.Schema":
    """The Arrow schema of a table, with its name and schema version in the metadata."""
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
    }
    fields = [pa.field(c.name, types[c.type], nullable=not c.required) for c in table.columns]
    return pa.schema(
        fields,
        metadata={"itemeval_assets.table": table.name, "itemeval_assets.schema": SCHEMA_VERSION},
    )


def _required(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, required=True) for name in names)


def _optional(*names: str, type: str = "string") -> tuple[Column, ...]:
    return tuple(Column(name, type) for name in names)


_TOKENS = tuple(Column(name, "int64") for name in TOKEN_COLUMNS)
_EPOCH = Column("epoch", "int32", required=True, note="replication, from 1")
_USD = Column("usd", "float64", note="null: no known price; 0.0 with null tokens: response cache")
_LATENCY = Column("latency_s", "float64", note="seconds from first request to last reply")
_SERVED = Column("served_model", note="the model that the reply says it is of; null: none says so")
_CREATED = Column("created_at", required=True, note="ISO-8601 UTC")
_PROVIDER = Column(
    "served_provider", note="whom OpenRouter passed the call on to, as its reply says; else null"
)

ITEMS = Table(
    "items",
    "one row per item of the benchmark",
    ("item_id", "dataset_id"),
    (
        *_required("item_id", "dataset_id", "dataset_revision", "input", "target"),
        Column("grading_scheme"),
        Column("metadata_json", required=True, note="mapped metadata columns as a JSON object"),
        _CREATED,
    ),
)

SOLUTIONS = Table(
    "solutions",
    "one row per generate condition x item x epoch",
    ("condition_id", "item_id", "epoch"),
    (
        *_required("study", "run_id", "condition_id", "condition_slug", "item_id", "dataset_id"),
        *_required("dataset_revision"),
        _EPOCH,
        *_required("model", "prompt_name", "prompt_hash", "model_config_name"),
        *_optional("temperature_requested", "temperature_effective", type="float64"),
        *_optional("top_p_requested", "top_p_effective", type="float64"),
        *_optional("max_tokens_requested", "max_tokens_effective", "seed_requested", type="int64"),
        *_optional("reasoning_effort", "reasoning_effort_effective"),
        *_optional("reasoning_tokens_requested", type="int64"),
        Column("solution", note="null when the answer is blank"),
        Column("stop_reason"),
        Column("error", note="set: the call failed; the next run tries the cell again"),
        *_TOKENS,
        _USD,
        _LATENCY,
        *_required("log_file"),
        Column("sample_uuid"),
        _CREATED,
        _SERVED,
        _PROVIDER,
        Column("reroutes", "int32", note="replies before this one that were no answers"),
    ),
    ("condition_id",),
)

ITEM_RUBRICS = Table(
    "item_rubrics",
    "one row per rubric that a model writes x item",
    ("condition_id", "item_id", "epoch"),
    (
        *_required("study", "run_id", "condition_id", "condition_slug", "item_id"),
        Column("epoch", "int32", required=True, note="always 1: a rubric is written once"),
        *_required("rubric_name", "model", "template_name", "template_hash"),
        Column("rubric", note="what judges are shown of it; null when the reply is blank"),
        Column("item_rubric_hash", note="first 12 hex of the sha256 of `rubric`"),
        Column("stop_reason"),
        Column("error", note="set: the call failed; the next run tries the item again"),
        *_TOKENS,
        _USD,
        _LATENCY,
        *_required("log_file"),
        Column("sample_uuid"),
        _CREATED,
        _SERVED,
        _PROVIDER,
        Column("edited", "bool", required=True, note="whether a person has changed the text"),
        *_optional("edited_by"),
        Column("edited_at", note="ISO-8601 UTC"),
    ),
    ("condition_id",),
)

GRADINGS = Table(
    "gradings",
    "one row per grading event (grade condition x generate condition x item x epoch)",
    ("grade_condition_id", "gen_condition_id", "item_id", "epoch"),
    (
        *_required("study", "run_id", "grade_condition_id", "grade_condition_slug"),
        *_required("gen_condition_id", "item_id"),
        _EPOCH,
        *_required("grade_kind"),
        *_optional("grader_name", "grader_model", "rubric_name", "rubric_hash", "scorer_name"),
        Column("score", "float64"),
        Column("score_raw", note="what was parsed, before it became a number"),
        Column("parse_ok", "bool", required=True),
        Column("parse_error", note="code of the parse failure; set exactly when score is null"),
        *_optional("reasoning", "judge_completion"),
        Column("error", note="set: the judge call failed; the next run tries the cell again"),
        *_TOKENS,
        _USD,
        _LATENCY,
        Column("log_file"),
        _CREATED,
        Column("sample_uuid"),
        Column("solution_hash", note="fingerprint of the solution that was graded"),
        Column("scorer_version", note="version of the scorer's rules; null: a judge graded"),
        Column(
            "imported_condition_id",
            note="of an imported grading by a judge: the id of its condition there",
        ),
        Column(
            "imported_format",
            "int64",
            note="of an imported grading by a judge: the version of the output format there",
        ),
        _SERVED,
        Column(
            "solution_chars_not_shown",
            "int64",
            note="characters that max_solution_chars cut off; null: the solution was shown whole",
        ),
        _PROVIDER,
        Column(
            "item_rubric_hash",
            note="hash of the item's rubric that a model has written; null: there is none",
        ),
    ),
    ("gen_condition_id", "grade_condition_id"),
)

GRADINGS_LONG = Table(
    "gradings_long",
    "one row per grading event with its design, solution, cost and evidence; never aggregated",
    ("grade_condition_id", "gen_condition_id", "item_id", "replication"),
    (
        *_optional("study", "item_id", "dataset_id", "dataset_revision", "model", "prompt_name"),
        *_optional("prompt_hash", "model_config_name"),
        Column("replication", "int32", note="epoch of the solution, from 1"),
        *_optional("gen_condition_id", "gen_condition_slug", "grade_condition_id"),
        *_optional("grade_condition_slug", "grade_kind", "grader_name", "grader_model"),
        *_optional("rubric_name", "rubric_hash", "scorer_name"),
        Column("score", "float64"),
        Column("score_raw"),
        Column("parse_ok", "bool"),
        *_optional("parse_error", "reasoning", "solution", "judge_completion"),
        *_optional("temperature_requested", "temperature_effective", type="float64"),
        Column("reasoning_effort"),
        *_optional("gen_input_tokens", "gen_output_tokens", "gen_total_tokens", type="int64"),
        *_optional("gen_reasoning_tokens", type="int64"),
        *_optional("gen_usd", "gen_latency_s", type="float64"),
        *_optional("grade_input_tokens", "grade_output_tokens", "grade_total_tokens", type="int64"),
        *_optional("grade_usd", "grade_latency_s", type="float64"),
        *_optional("gen_run_id", "grade_run_id", "gen_log_file", "grade_log_file", "created_at"),
    ),
    ("gen_condition_id", "grade_condition_id"),
)

_SPENT = (
    *_required("model"),
    Column("provider"),
    Column("calls", "int64", required=True, note="cache hits included; of a task all calls"),
    *_TOKENS,
    _USD,
    Column("priced", "bool", required=True, note="whether usd holds the price of every call"),
    Column("batch", "bool", required=True),
    _CREATED,
)

BOOKINGS = Table(
    "bookings",
    "one row per run x stage x condition x model, and generate condition when grading",
    ("run_id", "stage", "condition_id", "gen_condition_id", "model"),
    (
        *_required("run_id", "stage", "condition_id"),
        Column("gen_condition_id", note="set when grading: the solutions that were graded"),
        *_SPENT,
    ),
)

LEDGER = Table(
    "ledger",
    "one row per run x stage x condition x model",
    ("run_id", "stage", "condition_id", "model"),
    (*_required("run_id", "stage", "condition_id"), *_SPENT),
)

LOG_INDEX = Table(
    "log_index",
    "one row per raw .eval log, and per model that a task called besides",
    ("log_file", "model"),
    (
        *_required("log_file", "run_id", "stage", "condition_id"),
        Column("gen_condition_id"),
        *_optional("task_name", "model", "status", "started_at", "completed_at"),
        *_optional("total_samples", "completed_samples", type="int64"),
        Column("cached_samples", "int64", note="answered by the response cache, free"),
        *_TOKENS,
        _USD,
        Column("priced", "bool"),
        Column("unmetered_calls", "int64", note="replies without usable token counts; in no sum"),
        Column(
            "unmetered_usd",
            "float64",
            note="the most that these may have cost; budget.max_usd counts it",
        ),
        Column("batch", "bool"),
        *_optional("saved_by_response_cache_usd", type="float64"),
        Column("saved_by_prompt_cache_usd", "float64", note="list price minus what was paid"),
        *_optional("saved_by_batch_usd", type="float64"),
        _CREATED,
        Column("calls", "int64", note="calls of the model; null: one for each sample of the log"),
    ),
)

REPLACED = Table(
    "replaced",
    "one row per paid call whose row is no longer in solutions or gradings",
    ("stage", "sample_uuid"),
    (
        *_required("stage", "sample_uuid", "run_id", "condition_id"),
        Column("gen_condition_id"),
        *_required("item_id"),
        _EPOCH,
        *_TOKENS,
        _USD,
        *_required("log_file"),
        _CREATED,
    ),
)

TABLES = {
    table.name: table
    for table in (
        *(ITEMS, SOLUTIONS, ITEM_RUBRICS, GRADINGS, GRADINGS_LONG),
        *(BOOKINGS, LEDGER, LOG_INDEX, REPLACED),
    )
}
