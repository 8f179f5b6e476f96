"""The section `benchmark`: the items."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from itemeval_assets.core.prompts.choices import CHOICES, TargetIs
from itemeval_assets.core.tasks.reference import TaskRef
from itemeval_assets.core.text.yaml.sections import IDENTITY, Section

Adapter = Literal["hf", "local", "inspect", "logs"]
# What items can be told apart by besides their metadata.
DATASET_ID = "dataset_id"
# Of a file with tabs between its cells.
AS_CSV = 'rename the file to .csv, and write `delimiter: "\\t"` beside its `id`'
_ADAPTER = (
    "local: files here; hf: the Hugging Face hub, or a folder saved by `datasets`; inspect: a task "
    "of inspect_ai; logs: a task of inspect_ai without its code, of which `import` takes in logs"
)


class DatasetConfig(Section):
    """One dataset: a hub id or a local path, and the part of it to load."""

    id: str = Field(
        min_length=1,
        description="hub id `org/name`, or a path relative to this file; adapter local: a file, "
        "or a folder or pattern of Parquet files",
        examples=["items.jsonl"],
    )
    revision: str | None = Field(
        default=None, description="branch, tag or commit; pinned at first run", examples=["main"]
    )
    split: str = Field(default="train", description="part of the dataset on the hub")
    name: str | None = Field(
        default=None,
        description="dataset configuration on the hub; XLSX: the sheet, null: the first",
        examples=["main"],
    )
    limit: int | None = Field(default=None, ge=1, description="first N rows only", examples=[100])
    delimiter: str | None = Field(
        default=None, description="CSV: the character between cells; null: a comma", examples=[";"]
    )
    encoding: str | None = Field(
        default=None, description="CSV: the encoding of the text; null: utf-8", examples=["cp1252"]
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in '"\r\n\0'):
            raise ValueError(
                f"give the one character that separates cells; found {value!r}. A tab is "
                '"\\t", in double quotes'
            )
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            b"\0\0\0\0".decode("utf-8" if value is None else value)
        except (LookupError, ValueError):
            raise ValueError(
                f"Python does not know the text encoding {value!r}; give another one, such as "
                "utf-8, utf-16, cp1252, latin-1, shift_jis"
            ) from None
        return value

    @property
    def csv_options(self) -> dict[str, str]:
        """The keys for CSV that are set."""
        return self.model_dump(include={"delimiter", "encoding"}, exclude_none=True)


class MappingConfig(Section):
    """Which column holds what. `id` may be one column, several, or a `{column}` pattern."""

    input: str = Field(description="the column with the question", examples=["question"])
    target: str | None = Field(
        default=None,
        description="the column with the right answer; scorers need it",
        examples=["answer"],
    )
    id: str | list[str] | None = Field(
        default=None,
        description="the column with the item's id, several, or a pattern; null: ids are made of "
        "the rows",
        examples=["id", "{dataset}:{nr}"],
    )
    grading_scheme: str | None = Field(
        default=None,
        description="the column with marking instructions for judges",
        examples=["scheme"],
    )
    metadata: list[str] = Field(
        default_factory=list,
        description="further columns that are kept with the item; templates may name them",
        examples=[["topic"]],
    )
    chat: bool | None = Field(
        default=None,
        description="of an input that is a list of turns with role and content: true sends them as "
        "turns, false as JSON text",
        examples=[True],
    )
    choices: str | list[str] | None = Field(
        default=None,
        description="the column with the list of choices, or a column for each choice; prompts "
        "show them as `{choices}`",
        examples=["options", ["a", "b", "c", "d"]],
    )
    target_is: TargetIs | None = Field(
        default=None,
        description="what `target` holds of an item with choices: the letter (A), the index "
        "(from 0), the number (from 1), the text, or the label that the dataset gives it",
        examples=["letter"],
    )
    shuffle_choices: int | None = Field(
        default=None,
        ge=0,
        description="a seed: the choices of each item are put in a random order; null: as they "
        "are in the dataset",
        examples=[1],
    )

    images: str | None = Field(
        default=None,
        description="the column with the image of an item, or a list of them: a path relative to "
        "the data file, an address of the web, or bytes",
        examples=["picture"],
    )

    @property
    def kept(self) -> list[str]:
        """The names of what is kept with an item, and may stand in templates."""
        return [*self.metadata, *([CHOICES] if self.choices else [])]


class SampleConfig(Section):
    """Some of the items, drawn at random; a larger `n` keeps those of a smaller one."""

    n: int = Field(ge=1, description="how many items of all datasets together", examples=[50])
    seed: int = Field(default=0, ge=0, description="another seed draws other items", examples=[7])
    by: str | None = Field(
        default=None,
        description="a column of `mapping.metadata`, or dataset_id: each of its values keeps its "
        "share of the items, within one item; null: any items",
        examples=["topic"],
    )


_SAMPLE = "a random sample of the items, outside of every id; null: all of them"


class BenchmarkConfig(Section):
    """The items: where they come from and how their columns map."""

    adapter: Adapter = Field(description=_ADAPTER, examples=["local"])
    datasets: list[DatasetConfig] = Field(min_length=1, description="where the items are")
    mapping: MappingConfig = Field(description="which column holds what")
    sample: SampleConfig | None = Field(default=None, description=_SAMPLE)

    @property
    def ref(self) -> None:
        """No task: its items come from data."""
        return None

    @property
    def from_logs(self) -> bool:
        """Whether items and answers come from logs alone."""
        return False


# A task maps its own data.
_OF_TASKS = MappingConfig(input="input", target="target")


class TaskBenchmark(Section):
    """A task of inspect_ai: its samples are the items, and its solver answers them.

    With `adapter: logs` its code is not here: items, answers and scores are those of its logs.
    """

    adapter: Adapter = Field(description=_ADAPTER, examples=["local"])
    task: str = Field(
        description="inspect, logs: `<package>/<name>`, or `<file>.py@<name>`, relative to this "
        "file; logs: also the name alone",
        examples=["tasks.py@my_task"],
        json_schema_extra=IDENTITY,
    )
    args: dict[str, Any] = Field(
        default_factory=dict,
        description="inspect, logs: what the task is called with, by name",
        examples=[{"difficulty": "hard"}],
        json_schema_extra=IDENTITY,
    )
    sample: SampleConfig | None = Field(default=None, description=_SAMPLE)

    @field_validator("task")
    @classmethod
    def _names_a_task(cls, task: str, info: ValidationInfo) -> str:
        if info.data.get("adapter") == "logs":
            return _named_in_logs(task)
        place, _, name = task.rpartition("@")
        is_file = (place or task).endswith(".py") and (not place or name.isidentifier())
        is_packaged = "@" not in task and task.count("/") == 1 and all(task.split("/"))
        if not (is_file or is_packaged):
            raise ValueError(
                "give <package>/<name>, <file>.py or <file>.py@<name>, such as tasks.py@my_task; "
                f"found {task!r}"
            )
        return task

    @field_validator("args")
    @classmethod
    def _fits_in_json(cls, args: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(args, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"give texts, numbers, lists and keys with values: {error}") from None
        return args

    @property
    def ref(self) -> TaskRef:
        """The task that the items are of."""
        return TaskRef(self.task, self.args)

    @property
    def from_logs(self) -> bool:
        """Whether items and answers come from logs alone."""
        return self.adapter == "logs"

    @property
    def datasets(self) -> list[DatasetConfig]:
        """The one that its items name."""
        return [DatasetConfig(id=self.task, split="")]

    @property
    def mapping(self) -> MappingConfig:
        return _OF_TASKS


def _named_in_logs(task: str) -> str:
    name = task.rpartition("@")[2]
    if not name.strip() or name.endswith(".py"):
        raise ValueError(
            "give the name that the task has in its logs, such as my_task, my_package/my_task or "
            f"tasks.py@my_task; found {task!r}"
        )
    return task


def benchmark_section(entry: object) -> type[BenchmarkConfig] | type[TaskBenchmark]:
    """The section that `benchmark` is, by its adapter."""
    is_task = isinstance(entry, Mapping) and entry.get("adapter") in ("inspect", "logs")
    return TaskBenchmark if is_task else BenchmarkConfig


def read_benchmark(entry: Any) -> BenchmarkConfig | TaskBenchmark:
    """`benchmark` as its section. Raises ValidationError for what is wrong."""
    return benchmark_section(entry).model_validate(entry)
