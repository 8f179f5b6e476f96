"""The benchmark: what its columns are, and what a task of inspect_ai brings itself."""

import re
from typing import get_args

from itemeval_assets.core.prompts.choices import CHOICES, TargetIs
from itemeval_assets.core.prompts.images import IMAGES
from itemeval_assets.core.text.nearest import did_you_mean

from ..sections import AS_CSV, DATASET_ID, StudySections


def item_problems(config: StudySections) -> list[str]:
    """A line for every rule that is broken, each starting with its YAML path."""
    return [
        *_csv_problems(config),
        *_sheet_problems(config),
        *_mapping_problems(config),
        *_choices_problems(config),
        *_chat_problems(config),
        *_images_problems(config),
        *_sample_problems(config),
        *_task_problems(config),
        *_log_problems(config),
    ]


def _csv_problems(config: StudySections) -> list[str]:
    """What the hub has may be CSV; a file shows it by its name."""
    return [
        f"benchmark.datasets[{place}].{key}: for CSV only, and {dataset.id!r} is not a CSV file: "
        f"{AS_CSV if dataset.id.lower().endswith('.tsv') else 'remove it'}"
        for place, dataset in enumerate(config.benchmark.datasets)
        if config.benchmark.adapter == "local" and not dataset.id.lower().endswith(".csv")
        for key in dataset.csv_options
    ]


def _sheet_problems(config: StudySections) -> list[str]:
    """What the hub has goes by the same key."""
    return [
        f"benchmark.datasets[{place}].name: the sheet of an Excel workbook (.xlsx), and "
        f"{dataset.id!r} is none: remove it"
        for place, dataset in enumerate(config.benchmark.datasets)
        if config.benchmark.adapter == "local"
        and dataset.name is not None
        and not dataset.id.lower().endswith(".xlsx")
    ]


def _mapping_problems(config: StudySections) -> list[str]:
    pattern = config.benchmark.mapping.id
    if isinstance(pattern, str) and "{" in pattern and not re.findall(r"\{[^{}]+\}", pattern):
        return [f"benchmark.mapping.id: {pattern!r} has a brace but no {{column}} in it"]
    if isinstance(pattern, list) and not pattern:
        return ["benchmark.mapping.id: the list is empty; name at least one column"]
    return []


def _choices_problems(config: StudySections) -> list[str]:
    mapping, found = config.benchmark.mapping, []
    if mapping.choices is None:
        return [
            f"benchmark.mapping.{key}: is about choices; name their column in "
            "benchmark.mapping.choices, or remove it"
            for key in ("target_is", "shuffle_choices")
            if getattr(mapping, key) is not None
        ]
    if isinstance(mapping.choices, list) and len({*mapping.choices}) < max(2, len(mapping.choices)):
        found.append(
            "benchmark.mapping.choices: a list names a column for each choice, two at least and "
            "none twice; for one column that holds them all write its name alone"
        )
    if mapping.target is not None and mapping.target_is is None:
        found.append(
            "benchmark.mapping.target_is: missing; say what the column "
            f"{mapping.target!r} holds: {', '.join(get_args(TargetIs))}"
        )
    if mapping.target is None and mapping.target_is is not None:
        found.append("benchmark.mapping.target_is: there is no benchmark.mapping.target")
    if CHOICES in mapping.metadata:
        found.append(
            f"benchmark.mapping.metadata: {CHOICES!r} is what the choices are kept as, in the "
            "order that they are shown in; remove it from the list"
        )
    return found


def _images_problems(config: StudySections) -> list[str]:
    if config.benchmark.mapping.images and IMAGES in config.benchmark.mapping.metadata:
        return [
            f"benchmark.mapping.metadata: {IMAGES!r} is what the names of the images are kept as; "
            "remove it from the list"
        ]
    return []


def _sample_problems(config: StudySections) -> list[str]:
    """Which columns a task has, only its data tell."""
    benchmark = config.benchmark
    columns = [*benchmark.mapping.metadata, DATASET_ID]
    by = benchmark.sample.by if benchmark.sample else None
    if by is None or by in columns or benchmark.ref:
        return []
    return [
        f"benchmark.sample.by: {by!r} is no column of benchmark.mapping.metadata; "
        f"{did_you_mean(by, columns)}"
    ]


def _chat_problems(config: StudySections) -> list[str]:
    if config.benchmark.mapping.chat and config.solvers.split_prompt:
        return [
            "solvers.split_prompt: the items are chats (benchmark.mapping.chat), which have turns "
            "of their own; remove it"
        ]
    return []


def _task_problems(config: StudySections) -> list[str]:
    """A task has its own data and prompts."""
    found, adapter = [], config.benchmark.adapter
    if config.benchmark.ref and "prompt" in config.facets.model_fields_set:
        found.append(
            f"facets.prompt: the task has its own prompts (benchmark.adapter: {adapter}); remove it"
        )
    if config.benchmark.ref and config.budget.prefer_native_batch:
        found.append(
            f"budget.prefer_native_batch: a task (benchmark.adapter: {adapter}) calls models under "
            "their own ids; remove it"
        )
    if config.benchmark.ref and config.solvers.split_prompt:
        found.append(
            f"solvers.split_prompt: the task has its own prompts (benchmark.adapter: {adapter}); "
            "remove it"
        )
    return found


def _log_problems(config: StudySections) -> list[str]:
    """Items and answers that come from logs alone are as they are: none is drawn or made."""
    if not config.benchmark.from_logs:
        return []
    found = []
    if config.benchmark.sample:
        found.append(
            "benchmark.sample: the items are those of the logs (benchmark.adapter: logs); remove it"
        )
    if config.waves:
        found.append(
            "waves: nobody can ask the models again without the code of the task "
            "(benchmark.adapter: logs); remove them. `rejudges` grade the same answers again"
        )
    return found
