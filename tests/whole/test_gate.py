"""A gate from end to end: too few items, what it says to buy, and the verdict when it is bought."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets.cli.main import run_cli
from tests.model_server import ModelServer, Request
from tests.studies import merged, write_study

from .conftest import Serve

SERVED = "openai-api/test/"
POOL = 400


def reply(request: Request) -> str:
    """Right but on every fifth item; `new` is wrong on another one of twenty."""
    found = re.search(r"What is (\d+)", request.prompt)
    assert found
    number = int(found[1])
    wrong = number % 5 == 0 or (request.model == "new" and number % 20 == 7)
    return f"ANSWER: {2 * number + wrong}"


def study(folder: Path, server: ModelServer, items: int, candidate: str, margin: float) -> Path:
    server.reply = reply
    return write_study(
        folder,
        models=[SERVED + "old", SERVED + candidate],
        graders=[],
        items=POOL,
        solvers={"max_connections": 40},
        extra={
            "benchmark": {"sample": {"n": items, "seed": 1}},
            "gate": {"against": f"{SERVED}old", "candidate": SERVED + candidate, "margin": margin},
        },
    )


def buy(path: Path, items: int) -> None:
    document = merged(yaml.safe_load(path.read_text()), {"benchmark": {"sample": {"n": items}}})
    path.write_text(yaml.safe_dump(document))
    assert run_cli(["run", str(path), "--yes"]) == 0


def gated(path: Path, capsys: pytest.CaptureFixture[str], code: int) -> dict[str, Any]:
    capsys.readouterr()
    assert run_cli(["gate", str(path), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_what_it_says_to_buy_decides(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    path = study(tmp_path, server, 20, "same", 0.06)
    assert run_cli(["run", str(path), "--yes"]) == 0
    found = gated(path, capsys, 6)
    [one] = found["judged"]
    assert (found["verdict"], one["to_decide"]["population"]) == ("INCONCLUSIVE", POOL)
    calls = server.count()
    buy(path, one["to_decide"]["items"])
    assert server.count() - calls == one["to_decide"]["calls"]
    assert gated(path, capsys, 0)["verdict"] == "PASS"


@pytest.mark.long
def test_a_regression_of_five_points_fails(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study(tmp_path, serve(), 60, "new", 0.02)
    assert run_cli(["run", str(path), "--yes"]) == 0
    [one] = gated(path, capsys, 6)["judged"]
    buy(path, min(POOL, one["to_decide"]["items"]))
    found = gated(path, capsys, 1)
    assert found["verdict"] == "FAIL" and found["judged"][0]["value"] == pytest.approx(
        -0.05, abs=0.03
    )
    assert ie.plan(path, detect=0.05).by_grader[0].chosen
