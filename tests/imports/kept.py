"""The kept itemeval studies: how they are declared, and the models that they call."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests.model_server import Answer, ModelServer, Request, error_answer

__all__ = ["JUDGES", "MODELS", "VERSIONS", "declare", "rows", "unreliable_server"]

VERSIONS = ("0.1.0", "0.2.0")
MODELS = ["openai-api/test/alpha", "openai-api/test/beta"]
JUDGES = {"judge": "openai-api/test/judge", "second": "openai-api/test/judge2"}
_PRICE = {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 30.0}


def declare(folder: Path, output_dir: str = "studies", **changes: Any) -> Path:
    """The study's files; `changes` replace sections of its YAML."""
    prices = dict.fromkeys([*MODELS, *JUDGES.values(), "openai-api/test/third"], _PRICE)
    files = {
        "items.jsonl": "".join(json.dumps(row) + "\n" for row in rows()),
        "prompts/solver/mine.md": "Solve {id} and end with `ANSWER: <n>`.\n\n{input}\n",
        "rubrics/strict.md": "Grade from 0 to 1.\n\n{input}\n{target}\n{solution}\n",
        "prices.json": json.dumps(
            {"updated_at": "2026-01-01", "source": "made up", "models": prices}
        ),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    mapping = {"id": "id", "input": "question", "target": "answer", "grading_scheme": "scheme"}
    document = {
        "study": "kept",
        "output_dir": output_dir,
        "cache": False,
        "benchmark": {
            "adapter": "hf",
            "datasets": [{"id": "made/here"}],
            "mapping": {**mapping, "metadata": ["topic"]},
        },
        "solvers": {"models": MODELS, "max_tokens": 100},
        "facets": {
            "prompt": ["builtin:minimal", "mine"],
            "scorer": "numeric",
            "grader": [*JUDGES],
            "rubric": ["builtin:standard", "strict"],
            "replications": 2,
        },
        "graders": {name: {"model": model, "max_tokens": 100} for name, model in JUDGES.items()},
        "budget": {"policy": "full-interactive", "pricing_path": "prices.json"},
        **changes,
    }
    path = folder / f"{output_dir.rpartition('/')[2]}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def rows() -> list[dict[str, str]]:
    """The items as the hub has them."""
    return [
        {
            "id": f"q{n}",
            "question": f"What is {n} + {n}?",
            "answer": str(2 * n),
            "scheme": f"Full marks for {2 * n}.",
            "topic": "sums",
        }
        for n in (1, 2, 3)
    ]


def unreliable_server() -> ModelServer:
    """Alpha refuses the second item, beta is silent on the third; so do judges with some."""
    return ModelServer(reply=_reply)


def _reply(request: Request) -> str | Answer:
    found = re.search(r"What is (\d) \+", request.prompt)
    n = int(found[1]) if found else 0
    if request.model.startswith("judge"):
        if request.model == "judge" and "beta says" in request.prompt and n == 1:
            return error_answer(400, "no verdict")
        verdict = json.dumps({"score": n / 4, "reasoning": "Compared."})
        is_prose = request.model == "judge2" and n == 3
        return "I cannot say." if is_prose else f"```json\n{verdict}\n```"
    if request.model == "alpha" and n == 2:
        return error_answer(400, "refused")
    return "" if request.model == "beta" and n == 3 else f"{request.model} says\n\nANSWER: {2 * n}"
