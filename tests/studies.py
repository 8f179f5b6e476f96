"""Small studies on mock models, written into a folder: what most tests start from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

__all__ = ["merged", "study_yaml", "write_items", "write_study"]

PROMPTS = {
    "short": "Solve the problem and end with `ANSWER: <number>`.\n\n{input}\n",
    "long": "Think step by step about problem {id}.\n\n{input}\n\nEnd with `ANSWER: <number>`.\n",
}
RUBRIC = """\
Grade the solution from 0 to 1. The set {1, 2} and \\frac{1}{2} are no placeholders.

Problem {id}: {input}
Reference: {target}
Scheme: {grading_scheme}
Topic: {topic}
Solution: {solution}
"""


def write_study(
    folder: Path,
    *,
    study: str = "toy",
    models: Sequence[str] = ("mockllm/a",),
    prompts: Sequence[str] = ("short",),
    graders: Sequence[str] = ("mockllm/judge",),
    scorer: str | list[str] | None = "numeric",
    items: int = 4,
    replications: int = 1,
    policy: str = "full-interactive",
    solvers: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write `study.yaml` with its items, prompts and rubric; returns the path of the YAML.

    `extra` is merged into the YAML key by key, at every depth. Local prompts other than
    `short` and `long` get a text that names them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_items(folder / "items.jsonl", items)
    for name in prompts:
        if not name.startswith("builtin:"):
            _write(
                folder / "prompts" / "solver" / f"{name}.md",
                PROMPTS.get(name, f"Prompt {name}.\n\n{{input}}\n"),
            )
    _write(folder / "rubrics" / "strict.md", RUBRIC)
    document = study_yaml(
        study=study,
        models=models,
        prompts=prompts,
        graders=graders,
        scorer=scorer,
        replications=replications,
        policy=policy,
        solvers=solvers,
        extra=extra,
    )
    path = folder / "study.yaml"
    _write(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return path


def study_yaml(
    *,
    study: str = "toy",
    models: Sequence[str] = ("mockllm/a",),
    prompts: Sequence[str] = ("short",),
    graders: Sequence[str] = ("mockllm/judge",),
    scorer: str | list[str] | None = "numeric",
    replications: int = 1,
    policy: str = "full-interactive",
    solvers: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The YAML of `write_study` as a dict."""
    document = {
        "study": study,
        "benchmark": {
            "adapter": "local",
            "datasets": [{"id": "items.jsonl"}],
            "mapping": {
                "id": "id",
                "input": "question",
                "target": "answer",
                "grading_scheme": "scheme",
                "metadata": ["topic"],
            },
        },
        "solvers": {"models": list(models), **(solvers or {})},
        "facets": {
            "prompt": list(prompts),
            "grader": list(graders),
            **({"rubric": ["strict"]} if graders else {}),
            "scorer": scorer,
            "replications": replications,
        },
        "budget": {"policy": policy},
    }
    return merged(document, extra or {})


def merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `extra` over it; where both hold a mapping, merged in turn."""
    result = dict(base)
    for key, value in extra.items():
        inner = result.get(key)
        if isinstance(inner, Mapping) and isinstance(value, Mapping):
            result[key] = merged(inner, value)
        else:
            result[key] = value
    return result


def write_items(path: Path, count: int) -> None:
    """`count` sums as JSON lines, with columns id, question, answer, scheme, topic."""
    rows = [
        {
            "id": f"q{number}",
            "question": f"What is {number} + {number}?",
            "answer": 2 * number,
            "scheme": "1 point for the right sum.",
            "topic": "sums",
        }
        for number in range(1, count + 1)
    ]
    _write(path, "".join(json.dumps(row) + "\n" for row in rows))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
