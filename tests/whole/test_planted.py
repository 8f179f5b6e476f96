"""A study whose truth is known: what is planted, the commands find within their intervals.

In the long form a server plants it, call by call; in short it is stored as if that had been called.
"""

import itertools
import json
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from itemeval_assets.cli.main import run_cli
from tests.faults.study_runs import IS_LONG
from tests.model_server import ModelServer, Request
from tests.once import once
from tests.scored import scored_study
from tests.studies import write_study

from .conftest import Serve

ITEMS, REPLICATIONS = 9, 2
MIDDLE, SEED = 50.0, "planted"
ABILITY = {"a-small": -6.0, "a-large": 4.0, "b-small": -2.0, "b-large": 4.0}
SEVERITY = {"a-judge": -3.0, "b-judge": 1.0, "c-judge": 2.0}
SELF_PREFERENCE = 5.0
# Standard deviations: of items, of models at items, of replications, and of a judge at an answer.
OF_ITEMS, OF_PAIRS, OF_REPLICATIONS, OF_JUDGES = 8.0, 2.0, 3.0, 1.5
SERVED = "openai-api/test/"
PAIRS = list(itertools.combinations(ABILITY, 2))


GRADERS = {name: {"model": SERVED + name, "scale": [0, 100]} for name in SEVERITY}
FAMILIES = {SERVED + name: name[0] for name in (*ABILITY, *SEVERITY)}
EXTRA = {
    "cache": False,
    "facets": {"scorer": None},
    "measurement": {"level": 0.99, "families": FAMILIES},
}


class Planted:
    """Replies with answers of a known quality, and with verdicts of judges that are not fair."""

    def __init__(self) -> None:
        self._asked = Counter[tuple[str, str]]()

    def __call__(self, request: Request) -> str:
        if request.model in ABILITY:
            return self._answer(request)
        found = re.search(r"answer <(.+?) (.+?) (.+?)>", request.prompt)
        assert found
        score = verdict(request.model, found[1], found[2], int(found[3]))
        return json.dumps({"reasoning": "as planted", "score": score})

    def _answer(self, request: Request) -> str:
        found = re.search(r"What is (\d+)", request.prompt)
        assert found
        model, item = request.model, found[1]
        self._asked[model, item] += 1
        return f"answer <{model} {item} {self._asked[model, item]}>"


def verdict(judge: str, model: str, item: str, replication: int) -> float:
    """Chance depends on what is asked alone, in whatever order."""
    name = f"{model} {item} {replication}"
    quality = MIDDLE + ABILITY[model] + OF_ITEMS * chance(item)
    quality += OF_PAIRS * chance(model, item) + OF_REPLICATIONS * chance(name)
    likes = SELF_PREFERENCE * (model[0] == judge[0])
    return round(quality + SEVERITY[judge] + likes + OF_JUDGES * chance(judge, name), 4)


def chance(*of: str) -> float:
    """A draw from the standard normal distribution, always the same for the same words."""
    return float(np.random.default_rng(zlib.crc32(" ".join((SEED, *of)).encode())).normal())


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, serve_module: Serve) -> str:
    def plant(folder: Path) -> None:
        run_planted(folder, serve_module()) if IS_LONG else store_planted(folder)

    return str(once(tmp_path_factory, "planted", plant) / "study.yaml")


def run_planted(folder: Path, server: ModelServer) -> None:
    server.reply = Planted()
    path = write_study(
        folder,
        models=[SERVED + name for name in ABILITY],
        graders=list(SEVERITY),
        items=ITEMS,
        replications=REPLICATIONS,
        solvers={"max_connections": 20},
        extra={**EXTRA, "graders": GRADERS},
    )
    assert run_cli(["run", str(path), "--yes"]) == 0
    answers = len(ABILITY) * ITEMS * REPLICATIONS
    assert server.count() == answers * (1 + len(SEVERITY))


def store_planted(folder: Path) -> None:
    def score(model: str, judge: str, n: int, epoch: int) -> float:
        return verdict(judge, model.removeprefix(SERVED), str(n + 1), epoch)

    scored_study(
        folder,
        score,
        items=ITEMS,
        replications=REPLICATIONS,
        models=tuple(SERVED + name for name in ABILITY),
        graders=GRADERS,
        extra=EXTRA,
        name=lambda n: f"q{n + 1}",
    )


@pytest.fixture
def told(config: str, capsys: pytest.CaptureFixture[str]) -> Any:
    def ask(command: str, *arguments: str) -> Any:
        assert run_cli([command, config, *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def holds(estimate: Mapping[str, Any], truth: float) -> bool:
    return estimate["low"] <= truth <= estimate["high"]


def test_differences_of_models(told: Any) -> None:
    """Of each pair by each judge: ability, and what the judge adds for its own family."""
    found = told("compare", "--of", "model")
    inside = []
    for family in found["by_grader"]:
        judge = family["graded_by"]
        true = {
            f"{SERVED}{name}": ability + SELF_PREFERENCE * (name[0] == judge[0])
            for name, ability in ABILITY.items()
        }
        assert len(family["differences"]) == len(PAIRS)
        for one in family["differences"]:
            truth = true[one["a"]] - true[one["b"]]
            inside.append(holds(one, truth))
            if abs(truth) >= 8:
                assert one["p"] < 0.01 and one["value"] * truth > 0
    assert len(inside) == 18 and all(inside)


def test_variance_components(told: Any) -> None:
    for one in told("reliability")["by_grader"]:
        judge = one["graded_by"]
        levels = [
            ability + SELF_PREFERENCE * (name[0] == judge[0]) for name, ability in ABILITY.items()
        ]
        truth = {
            "model": np.var(levels, ddof=1),
            "item_id": OF_ITEMS**2,
            "model:item_id": OF_PAIRS**2,
            "model:item_id:replication": OF_REPLICATIONS**2 + OF_JUDGES**2,
        }
        components = {row["source"]: row for row in one["components"]}
        assert components.keys() == truth.keys() and one["method"] == "ems"
        for source, variance in truth.items():
            assert holds(components[source], variance), (judge, source)


def test_judges(told: Any) -> None:
    found = told("agreement")["figures"]
    by_name = {(one["figure"], one["of"].split(" ")[0]): one["estimate"] for one in found}
    # Half of the answers are of the family of two of the judges, and none of the third.
    level = {
        name: severity + (SELF_PREFERENCE / 2 if name[0] != "c" else 0)
        for name, severity in SEVERITY.items()
    }
    for judge, own in level.items():
        truth = own - sum(level.values()) / len(level)
        assert holds(by_name["severity", judge], truth), judge
    preferences = [one for one in found if one["figure"] == "self-preference" and one["estimate"]]
    assert preferences
    for one in preferences:
        assert holds(one["estimate"], SELF_PREFERENCE) and one["estimate"]["low"] > 0


def test_difficulties_of_items(told: Any) -> None:
    planted = [chance(str(n)) for n in range(1, ITEMS + 1)]
    for one in told("items")["by_grader"]:
        means = {int(row["item_id"][1:]): row["difficulty"] for row in one["items"]}
        shown = [means[n] for n in range(1, ITEMS + 1)]
        assert np.corrcoef(shown, planted)[0, 1] > 0.9
