"""The reference of all keys, made from the models that read the YAML."""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from itemeval_assets.core.config.reading import parse_config
from itemeval_assets.core.config.reference import Key, all_keys, study_schema
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.grading.kinds import TYPES
from scripts.reference import api, columns, keys, options

BUILTIN = Path(__file__).parents[3] / "itemeval_assets" / "builtin"
LEAST = """
study: toy
benchmark:
  adapter: local
  datasets: [{id: items.csv}]
  mapping: {input: question, target: answer, metadata: [topic], choices: options, target_is: text}
solvers: {models: [mockllm/alpha, mockllm/beta]}
facets: {grader: [judge], model_config: [{name: default}]}
graders: {judge: {model: mockllm/judge, scale: [0, 1]}}
"""
KEYS = all_keys()
# An own scorer of each type, with the keys that it needs.
SCORERS = (
    {"type": "regex", "pattern": "(?P<n>\\d+)"},
    {"type": "contains"},
    {"type": "json", "path": "a"},
    {"type": "python", "function": "mine.py:score"},
    {"type": "inspect", "scorer": "f1"},
)


def with_example(key: Key) -> str:
    """A small study in which a key has its example."""
    document = yaml.safe_load(LEAST)
    section: Any = document
    for entry in SCORERS:
        field = key.path.removeprefix("scorers.<name>.")
        names = {one.alias or name for name, one in TYPES[entry["type"]].model_fields.items()}
        if key.path.startswith("scorers.") and field in names:
            document["scorers"] = {"mine": dict(entry)}
            break
    if key.path.startswith("graders.<name>.args."):
        document["graders"]["judge"]["scorer"] = "model_graded_qa"
    if key.path.startswith("rubrics."):
        writer = {"model": "mockllm/writer", "template": "write"}
        document["rubrics"] = {"judge": {"materialize": writer, "grade_template": "by_rubric"}}
    if key.path in ("benchmark.task", "benchmark.args"):
        document["benchmark"] = {"adapter": "inspect", "task": "tasks.py"}
    if key.path == "benchmark.datasets[].name":
        document["benchmark"]["datasets"] = [{"id": "items.xlsx"}]
    name = "mine" if key.path.startswith("scorers.") else "judge"
    if key.path.startswith("benchmark.sample."):
        document["benchmark"]["sample"] = {"n": 1}
    if key.path.startswith("seal."):
        document["seal"] = {"hypotheses": ["alpha is better"], "decision": "by compare"}
    if key.path.startswith(("waves", "rejudges")):
        document[key.path.split("[")[0]] = [{"name": "w"}]
    if key.path.startswith("precision"):
        document["benchmark"]["sample"] = {"n": 40}
        document["precision"] = (
            {} if key.path.endswith(("half_width", "detect")) else {"detect": 0.1}
        )
    if key.path.startswith("gate."):
        document["gate"] = {"against": "v1.0.0", "margin": 0.02}
    if key.path.startswith("solvers.sample."):
        document["solvers"] = {"sample": {"roster": "roster.txt", "n": 1}}
    *path, last = key.path.replace("[]", ".0").replace("<name>", name).split(".")
    for part in path:
        section = section[int(part)] if part.isdigit() else section.setdefault(part, {})
    section[last] = yaml.safe_load(key.example) if key.path != "automation.cron" else key.example
    return yaml.safe_dump(document)


@cache
def schema() -> jsonschema.Draft202012Validator:
    """It is checked once: that takes longer than to validate a study."""
    found = study_schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_each_key_is_explained_and_its_example_is_read(key: Key) -> None:
    assert key.meaning and key.kind and key.example
    assert (
        key.path.split(".")[0].removesuffix("[]")
        in parse_config(with_example(key), "x").as_yaml_dict()
    )
    schema().validate(yaml.safe_load(with_example(key)))


@pytest.mark.parametrize("part", [keys, options, columns, api], ids=lambda part: part.PAGE.name)
def test_a_page_is_that_of_the_code(part) -> None:
    if part is api and sys.version_info[:2] != (3, 11):
        pytest.skip("each version of Python shows types in its own way")
    assert part.PAGE.read_text() == part.page(), "python -m scripts.reference"


@pytest.mark.parametrize("name", ["project", "quickstart"])
def test_the_schema_takes_the_packaged_studies_and_refuses_what_the_tool_refuses(name: str) -> None:
    text = (BUILTIN / name / "study.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=study.schema.json\n")
    document = yaml.safe_load(text)
    schema().validate(document)
    for section, key, wrong in (
        ("solvers", "modles", ["a/b"]),
        ("solvers", "models", ["gpt"]),
        ("solvers", "sample", {"roster": "r.txt", "n": 1}),
        ("budget", "policy", "full"),
        ("measurement", "level", 95),
        ("facets", "replications", 0),
    ):
        slip = {**document, section: {**document.get(section, {}), key: wrong}}
        with pytest.raises(jsonschema.ValidationError):
            schema().validate(slip)
        with pytest.raises(ConfigError):
            parse_config(json.dumps(slip), "x")
