"""A study from its YAML. What it takes from inspect_ai is read without importing that."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.tasks.lock import TaskLock
from itemeval_assets.storage.study.inputs.study_file import read_study
from itemeval_assets.storage.study.inputs.template_lock import Kept

from .scorers.prompts_of_inspect import prompt_of_inspect


def load_study(path: str | Path, replaced: Mapping[str, Any] | None = None) -> Study:
    """Load one study from its YAML. Touches no dataset and no network.

    What is known of a task, and how far a study with `precision` has come, is read from the folder
    of the study, which may be a bucket.
    `replaced`: keys in the place of those of the YAML, as `replaced_keys` gives them. Raises
    ConfigError or TemplateError with everything that is wrong.
    """
    return read_study(path, prompt_of_inspect, replaced=replaced)


def study_with_task(path: str | Path, task: TaskLock) -> Study:
    """As `load_study`. `task`: what is known of its task, in the place of what its folder says."""
    return read_study(path, prompt_of_inspect, task=task)


def study_with_templates(path: str | Path, kept: Kept) -> Study:
    """As `load_study`. `kept`: packaged templates in the place of those kept beside the YAML."""
    return read_study(path, prompt_of_inspect, kept=kept)


def study_redrawn(path: str | Path) -> Study:
    """As `load_study`, with models drawn from the roster of today."""
    return read_study(path, prompt_of_inspect, redraw=True)
