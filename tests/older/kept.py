"""The kept study and experiment: how they are declared, and the models that they call."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.model_server import Answer, ModelServer, Request, error_answer

from .simulation import Melting

__all__ = ["BUCKET", "MODELS", "declare", "specs", "unreliable_server"]

BUCKET = "kept"
MODELS = ["openai-api/test/alpha", "openai-api/test/beta"]
JUDGE = "openai-api/test/judge"
PRICE = {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 30.0}


def declare(folder: Path, output_dir: str, **changes: Any) -> Path:
    """The study's files; `changes` replace sections of its YAML."""
    files: Mapping[str, str] = {
        "items.jsonl": "".join(json.dumps(row) + "\n" for row in _items()),
        "prompts/solver/mine.md": "Solve {id} and end with `ANSWER: <n>`.\n\n{input}\n",
        "rubrics/strict.md": "Grade from 0 to 1.\n\n{input}\n{target}\n{solution}\n",
        "prices.json": json.dumps({"models": dict.fromkeys([*MODELS, JUDGE], PRICE)}),
        "notes.txt": "seen by eye",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    document = {
        "study": "kept",
        "output_dir": output_dir,
        "cache": False,
        "benchmark": {
            "adapter": "local",
            "datasets": [{"id": "items.jsonl"}],
            "mapping": {"id": "id", "input": "question", "target": "answer"},
        },
        "solvers": {"models": MODELS, "max_tokens": 100, "max_retries": 0},
        "facets": {
            "prompt": ["mine"],
            "scorer": ["numeric", "exact_match"],
            "grader": ["judge"],
            "rubric": ["strict"],
        },
        "graders": {"judge": {"model": JUDGE, "max_tokens": 100}},
        "budget": {"policy": "full-interactive", "pricing_path": "prices.json"},
        **changes,
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder / "study.yaml"


def _items() -> list[dict[str, Any]]:
    return [{"id": f"q{n}", "question": f"What is {n} + {n}?", "answer": 2 * n} for n in (1, 2, 3)]


def specs(folder: Path) -> list[Melting]:
    return [
        Melting(material="iron", notes=folder / "notes.txt"),
        Melting(material="lead", pressure=0.5),
        Melting(material="gold"),
    ]


def unreliable_server() -> ModelServer:
    """Alpha refuses the second item, and the judge beta's first answer."""
    return ModelServer(reply=_reply)


def _reply(request: Request) -> str | Answer:
    found = re.search(r"What is (\d) \+", request.prompt)
    n = int(found[1]) if found else 0
    if request.model == "judge":
        refused = "beta says" in request.prompt and n == 1
        verdict = json.dumps({"score": n / 4, "reasoning": "Compared."})
        return error_answer(400, "no verdict") if refused else f"```json\n{verdict}\n```"
    if request.model == "alpha" and n == 2:
        return error_answer(400, "refused")
    return f"{request.model} says\n\nANSWER: {2 * n}"
