"""Prompts as people write them: what the model server is really sent, and what the tables keep."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.model_server import ModelServer
from tests.studies import merged, write_study

from .conftest import Serve
from .looking import assert_reconciled, write_prices

MODEL = "openai-api/test/m"
JUDGE = "openai-api/test/judge"


def declare(
    folder: Path,
    template: str,
    items: Sequence[Mapping[str, Any]],
    mapping: Mapping[str, Any],
    rubric: str | None = None,
    **changes: Any,
) -> Path:
    """A study of these items with this prompt, and a judge where there is a rubric."""
    benchmark = {"mapping": {"grading_scheme": None, "metadata": [], **mapping}}
    budget = {"pricing_path": write_prices(folder, "m", "judge")}
    extra = merged({"benchmark": benchmark, "budget": budget}, changes.pop("extra", {}))
    given = {"models": [MODEL], "graders": [JUDGE] if rubric else (), **changes}
    config = write_study(folder, prompts=["mine"], extra=extra, **given)
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    (folder / "prompts" / "solver" / "mine.md").write_text(template)
    if rubric:
        (folder / "rubrics" / "strict.md").write_text(rubric)
    return config


def sent(server: ModelServer, model: str = "m") -> list[list[tuple[str, str]]]:
    """(role, content) of each message of each request, in the order of their texts."""
    return sorted(
        [(str(one["role"]), str(one["content"])) for one in request.messages]
        for request in server.requests
        if request.model == model
    )


SUMS = [
    {"id": "q1", "question": "1+1?", "answer": 2, "topic": "sums", "unit": "{input} {id}"},
    {"id": "q2", "question": "2+2?", "answer": 4, "topic": None, "unit": ["a", "b"]},
]


def test_columns_of_the_item_stand_in_a_prompt(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    template = "On {topic} in {unit}, \\frac{1}{2}:\n{input}"
    config = declare(tmp_path, template, SUMS, {"metadata": ["topic", "unit"]})
    foreseen = api.estimate(config)
    summary = api.run(config)
    assert sent(server) == [
        [("user", 'On  in ["a", "b"], \\frac{1}{2}:\n2+2?')],
        [("user", "On sums in {input} {id}, \\frac{1}{2}:\n1+1?")],
    ]
    assert summary.exit_code == 0 and summary.usd <= foreseen.remaining.usd
    assert_reconciled(config)


def test_estimates_count_the_columns_of_a_prompt(tmp_path: Path) -> None:
    items = [{**SUMS[0], "unit": "x" * 40_000}]
    config = declare(tmp_path, "{input} {unit}", items, {"metadata": ["unit"]})
    bare = declare(tmp_path / "bare", "{input}", items, {"metadata": ["unit"]})
    extra_tokens = api.estimate(config).grid.input_tokens - api.estimate(bare).grid.input_tokens
    assert extra_tokens == pytest.approx(20_000, abs=2)


def test_a_column_that_is_no_longer_mapped_is_a_new_condition(tmp_path: Path) -> None:
    """The template is the same, and what the model is shown is not."""
    config = declare(
        tmp_path, "{topic}: {input}", SUMS, {"metadata": ["topic"]}, models=["mockllm/a"]
    )
    api.run(config)
    declare(tmp_path, "{topic}: {input}", SUMS, {"metadata": ["unit"]}, models=["mockllm/a"])
    assert api.estimate(config).remaining.calls == 2


def test_a_near_miss_is_told_by_estimate_and_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = {"metadata": ["topic"]}
    config = declare(tmp_path, "{topc} {input}", SUMS, mapping, models=["mockllm/a"])
    told = "template 'mine': {topc} is no placeholder and is sent as it stands; {topic} is one"
    assert run_cli(["estimate", str(config)]) == 0
    assert told in capsys.readouterr().out
    assert run_cli(["run", str(config), "--yes"]) == 0
    assert told in capsys.readouterr().out
