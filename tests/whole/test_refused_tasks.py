"""First runs of a task that are refused: nothing is left on the disk."""

from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.task_files import write_task_study

from .conftest import Serve
from .looking import results_dir, write_prices

QA = {"model": "mockllm/j", "scorer": "model_graded_qa", "args": {"template": "{answer} {topicc}"}}
OWN = {"mine": {"type": "python", "function": "sc.py:score"}}


@pytest.mark.parametrize(
    ("words", "made", "code"),
    [
        (["run"], {"models": ["openai/gpt-4.1-mini"]}, 2),
        (["run"], {"graders": ["qa"], "extra": {"graders": {"qa": QA}}}, 2),
        (["run"], {"extra": {"facets": {"scorer": ["mine"]}, "scorers": OWN}}, 2),
        (["preflight"], {"extra": {"facets": {"scorer": ["mine"]}, "scorers": OWN}}, 2),
        (["run", "--condition", "zzz"], {}, 2),
        (["estimate", "--condition", "zzz"], {}, 2),
        (["run", "--max-usd", "-1"], {}, 2),
        (["run", "--policy", "none"], {}, 2),
    ],
)
def test_a_first_run_that_is_refused_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    made: dict[str, Any],
    code: int,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "sc.py").write_text("raise SystemExit(0)\n")
    config = write_task_study(tmp_path, **made)
    before = left_in(tmp_path)
    assert run_cli([words[0], str(config), *words[1:]]) == code
    assert left_in(tmp_path) == before


@pytest.mark.parametrize("budget", [{"max_usd": 1e-9}, {"confirm_above_usd": 0.0}])
def test_a_refusal_of_the_gate_leaves_no_task(
    tmp_path: Path, serve: Serve, budget: dict[str, float]
) -> None:
    server = serve()
    prices = write_prices(tmp_path, "m")
    extra = {"budget": {**budget, "pricing_path": prices}, "solvers": {"max_tokens": 50}}
    config = write_task_study(tmp_path, models=["openai-api/test/m"], extra=extra)
    assert run_cli(["run", str(config)]) != 0
    assert server.count() == 0
    assert api.estimate(config).remaining.calls == 4
    assert (results_dir(config) / "task_lock.json").exists()


def left_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not is_cache(path)}


def is_cache(path: Path) -> bool:
    return "__pycache__" in path.parts
