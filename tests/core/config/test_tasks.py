"""`benchmark.adapter: inspect`: what is read, and what is refused beside a task."""

from typing import Any

import pytest
import yaml

from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.config.sections import TaskBenchmark
from itemeval_assets.core.errors import ConfigError
from tests.studies import merged

STUDY: dict[str, Any] = {
    "study": "toy",
    "benchmark": {"adapter": "inspect", "task": "tasks.py@a", "args": {"n": 2}},
    "solvers": {"models": ["mockllm/a"]},
    "facets": {},
}


def read(**changes: Any) -> Any:
    return parse_config(yaml.safe_dump(merged(STUDY, changes)), "study.yaml")


def test_a_task_needs_no_data_no_prompt_and_no_grader() -> None:
    config = read()
    assert isinstance(config.benchmark, TaskBenchmark)
    assert config.benchmark.ref.payload == {"name": "tasks.py@a", "args": {"n": 2}}
    assert config.benchmark.datasets[0].id == "tasks.py@a"
    # What is written out with all defaults is read again.
    assert parse_config(config.public_yaml, "again.yaml") == config


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"benchmark": {"datasets": [{"id": "x"}]}}, "benchmark.datasets: unknown key 'datasets'; "
         "the task has its own data (adapter: inspect); remove it"),
        ({"benchmark": {"mapping": {"input": "x"}}}, "the task has its own data"),
        ({"facets": {"prompt": ["builtin:minimal"]}}, "facets.prompt: the task has"),
        ({"solvers": {"split_prompt": True}}, "solvers.split_prompt: the task has"),
        ({"benchmark": {"task": "gsm8k"}}, "give <package>/<name>, <file>.py or <file>.py@<name>"),
        ({"benchmark": {"task": "a/b/c"}}, "give <package>/<name>"),
        ({"benchmark": {"task": "tasks.py@"}}, "give <package>/<name>"),
        ({"benchmark": {"adapter": "hf"}}, "it goes with adapter: inspect"),
        ({"benchmark": {"limit": 5}}, "benchmark.limit: unknown key 'limit'; the task makes its "
         "own samples. For the first ones alone: budget.policy: dev, with dev_items"),
        ({"facets": {"scorer": "includes"}}, "The scorers of the task grade anyway: remove it"),
        ({"facets": {"grader": ["j"]}, "graders": {"j": {"model": "mockllm/j", "scale": [0, 1],
         "after": "includes"}}}, "It cannot name a scorer of the task"),
        ({"benchmark": {"tsk": "x"}}, "did you mean 'task'?"),
        ({"benchmark": {"args": [1]}}, "benchmark.args: "),
        ({"benchmark": {"adapter": "inspct"}}, "'hf', 'local', 'inspect' or 'logs'"),
        ({"measurement": {"families": {"x/y": "z"}}}, "measurement.families"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_a_task_is_refused_with_the_reason(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(**changes)
    assert said in str(refused.value)


def test_a_task_is_required() -> None:
    config = {**STUDY, "benchmark": {"adapter": "inspect"}}
    with pytest.raises(ConfigError, match=r"benchmark\.task: this key is required"):
        parse_config(yaml.safe_dump(config), "study.yaml")
