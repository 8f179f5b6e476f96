"""Keys that the YAML does not have, and what the reader may have meant by them."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from itemeval_assets.core.grading.kinds import section_of_entry, sections_of
from itemeval_assets.core.text.nearest import did_you_mean, nearest

from .sections.benchmark import BenchmarkConfig, TaskBenchmark, benchmark_section

# How other tools and other fields call what a key of ours says.
_ELSEWHERE = {
    "facets.prompt": ("prompts", "templates"),
    "facets.replications": ("epochs", "n", "samples", "num_samples", "repetitions", "trials"),
    "facets.rubric": ("rubrics", "criteria"),
    "facets.scorer": ("scorers", "metric", "metrics", "assert"),
    "facets.model_config": ("configs", "model_configs"),
    "graders": ("judges",),
    "solvers.models": ("provider", "providers", "llms"),
    "solvers.max_tokens": ("max_output_tokens", "max_completion_tokens"),
    "solvers.max_connections": ("concurrency", "max_concurrency", "parallel"),
    "benchmark": ("task", "tasks", "tests", "data", "items"),
    "budget.max_usd": ("max_cost", "cost_limit", "limit_usd"),
    "budget.pricing_path": ("prices", "pricing"),
    "study": ("title", "experiment"),
}
_BY_WORD = {word: key for key, words in _ELSEWHERE.items() for word in words}
_SYSTEM = (
    "write the system message into a prompt template, below a line <|system|>, and the rest with "
    "{input} below a line <|user|>"
)
_SECRET = (
    "put it into the environment variable that the provider reads, such as OPENAI_API_KEY, and "
    "remove it here"
)
_TOLD = {
    **dict.fromkeys(("system", "system_prompt", "system_message"), _SYSTEM),
    **dict.fromkeys(("api_key", "apikey", "api_token"), _SECRET),
}
# What a key of one section is called elsewhere, by the name of the section.
_IN_SECTION = {
    "datasets": {"id": ("path", "file", "filename", "file_name", "dataset", "source", "hub")},
    "mapping": {
        "input": ("question", "prompt", "problem", "query", "instruction", "text"),
        "target": ("answer", "label", "gold", "solution", "expected", "reference", "output"),
    },
    "sample": {
        "roster": ("universe", "models", "file", "path"),
        "by": ("stratify_by", "strata", "stratify"),
    },
    "benchmark": {"args": ("task_args", "task_arguments", "arguments", "params")},
}
_OF_DATA = ("datasets", "mapping")
# Where somebody may write where logs lie.
_PLACES = ("path", "logs", "log_dir", "folder", "source")
# Words for "not all samples", of inspect_ai and of other tools.
_FEW_SAMPLES = ("limit", "sample_id", "max_samples", "samples", "sample", "shuffle")


def unknown_key(loc: tuple[int | str, ...], model: type[BaseModel], data: Any) -> str:
    """What to write in place of a key that its section does not have."""
    word, known = str(loc[-1]), _known_keys(model, loc[:-1], data)
    if told := _as_written(loc, known, _at(loc[:-1], data)):
        return told
    if loc[:-1] == ("benchmark",) and (told := _beside_a_task(word, data)):
        return told
    is_near = loc[:-1] == ("benchmark",) and nearest(word, known)
    if word in _BY_WORD and not is_near:
        return f"did you mean {_BY_WORD[word]!r}?"
    # A key of another type or kind of entry is none of this one.
    places = sorted({*_places_of(word, model)} - {str(loc[0])})
    if nearest(word, known) is None and places:
        return f"it belongs to {' or '.join(places)}"
    return did_you_mean(word, known, "known keys")


def _called_here(loc: tuple[int | str, ...], known: list[str]) -> str | None:
    """The key that a section has for a word of other tools; None where it has none."""
    section = next((part for part in reversed(loc[:-1]) if isinstance(part, str)), "")
    keys = _IN_SECTION.get(section, {})
    return next((key for key, words in keys.items() if loc[-1] in words and key in known), None)


def _as_written(loc: tuple[int | str, ...], known: list[str], section: Mapping[str, Any]) -> str:
    """What to write for a key that is of another tool, or has a slip; empty where none is known."""
    word = str(loc[-1])
    if word.startswith("-"):
        return f"a blank is missing after the dash: write `- {word[1:]}: ...`"
    key = _called_here(loc, known)
    if key is None or key in section:
        return _TOLD.get(word, "")
    value = section[word]
    return f"write `{key}: {value}`" if isinstance(value, str) else f"write `{key}`"


def _at(loc: tuple[int | str, ...], data: Any) -> Any:
    for part in loc:
        data = data[part]
    return data


def _beside_a_task(word: str, data: Any) -> str:
    """What to write in place of a key of `benchmark` that only a task, or no task, has."""
    if word in _PLACES and data["benchmark"].get("adapter") == "logs":
        return (
            "the logs are named when they come in (itemeval-assets import LOGS CONFIG); remove it"
        )
    if word in _OF_DATA:
        return "the task has its own data (adapter: inspect); remove it"
    if word in TaskBenchmark.model_fields:
        return "it goes with adapter: inspect, a task of inspect_ai"
    if word in _FEW_SAMPLES and benchmark_section(data["benchmark"]) is TaskBenchmark:
        return (
            "the task makes its own samples. For the first ones alone: budget.policy: dev, with "
            "dev_items; or an argument of the task, in benchmark.args"
        )
    return ""


def _places_of(word: str, section: type[BaseModel], path: str = "") -> Iterator[str]:
    """The sections that have a key, wherever they are."""
    for key, field in _fields(section).items():
        if key == word:
            yield path or "the file itself, outside of all sections"
        if inner := _section_of(field.annotation):
            for part in _parts_of(inner) or [inner]:
                yield from _places_of(word, part, f"{path}.{key}" if path else key)


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...], data: Any) -> list[str]:
    current: type[BaseModel] | None = model
    for part in loc:
        if current is None:
            return []
        by_key = _fields(current)
        # A list index or a mapping key (the name of an entry) stays in the same section.
        if part in by_key:
            current = _section_of(by_key[str(part)].annotation)
        data = data[part]
        if current is BenchmarkConfig:
            current = benchmark_section(data)
        elif current is not None and sections_of(current):
            current = section_of_entry(current, data)
    return [] if current is None else list(_fields(current))


def _parts_of(section: type[BaseModel]) -> list[type[BaseModel]]:
    """The sections that an entry may be."""
    if section is BenchmarkConfig:
        return [BenchmarkConfig, TaskBenchmark]
    return sections_of(section)


def _fields(section: type[BaseModel]) -> dict[str, Any]:
    """The fields of a section by their YAML keys."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    sections = (_section_of(arg) for arg in get_args(annotation))
    return next((section for section in sections if section is not None), None)
