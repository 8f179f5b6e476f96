"""Scorers of inspect_ai, and those that installed packages offer, in a whole study."""

import asyncio
import importlib
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ModelName, ModelOutput
from inspect_ai.scorer import Target, f1, value_to_float
from inspect_ai.solver import TaskState

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.engine.study_files import load_study
from tests.studies import write_study

from .looking import assert_reconciled, rows

THEIRS = """
def bonus(solution, target, metadata, more=0.0):
    return (0.5 if target in solution else 0.0) + more
"""


def study_of(folder: Path, **scorers: Any) -> Path:
    return write_study(
        folder, graders=[], scorer=["numeric", *scorers], items=4, extra={"scorers": scorers}
    )


def offer(folder: Path, version: str, package: str = "their-bonus") -> None:
    """A package as pip leaves it: a module, and what it says of itself."""
    about = folder / f"{package}-1.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (folder / "their_bonus.py").write_text(THEIRS)
    (about / "METADATA").write_text(f"Name: {package}\nVersion: {version}\n")
    (about / "entry_points.txt").write_text(
        "[itemeval_assets.scorers]\nbonus = their_bonus:bonus\n"
    )
    importlib.invalidate_caches()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where packages are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def scores(config: Path, name: str) -> list[float | None]:
    return [row["score"] for row in rows(config, "gradings") if row["scorer_name"] == name]


def test_a_scorer_of_a_package_is_a_type(tmp_path: Path, site: Path) -> None:
    offer(site, "1.2")
    config = study_of(tmp_path, mine={"type": "bonus", "args": {"more": 0.25}})
    study = load_study(config)
    condition = study.design.grade[1]
    assert condition.payload == {
        "kind": "grade",
        "scorer": "mine",
        "definition": {"type": "bonus", "args": {"more": 0.25}, "package": "their-bonus 1.2"},
    }
    assert "their_bonus" not in sys.modules
    api.run(config)
    assert set(scores(config, "mine")) == {0.25, 0.75}
    assert_reconciled(config)
    offer(site, "1.3")
    assert load_study(config).design.grade[1].id != condition.id


def test_two_packages_of_one_name_and_arguments_that_it_has_not_are_told(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    offer(site, "1.2")
    config = study_of(tmp_path, mine={"type": "bonus", "args": {"much": 1}})
    assert run_cli(["run", str(config)]) == 2
    assert "scorers.mine.args: 'bonus' takes no 'much'; there are: more" in (
        capsys.readouterr().err
    )
    (site / "other").mkdir()
    monkeypatch.syspath_prepend(site / "other")
    offer(site / "other", "2", "another")
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert "scorers.mine.type: several packages offer 'bonus': another 2, their-bonus 1.2" in told


def test_a_type_that_no_package_offers_is_told_with_the_nearest(
    tmp_path: Path, site: Path, capsys: Any
) -> None:
    offer(site, "1.2")
    config = study_of(tmp_path, mine={"type": "bonos"})
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert "unknown type of scorer 'bonos'" in told and "python, inspect, bonus; did you" in told


def test_scorers_of_inspect_grade_as_inspect_does(tmp_path: Path) -> None:
    config = study_of(
        tmp_path,
        has={"type": "inspect", "scorer": "includes"},
        close={"type": "inspect", "scorer": "f1"},
        label={"type": "inspect", "scorer": "pattern", "args": {"pattern": r"ANSWER: (\d+)"}},
    )
    summary = api.run(config)
    assert (summary.errored, summary.failed_checks) == (0, [])
    numeric = scores(config, "numeric")
    assert scores(config, "label") == numeric and len(numeric) == 4
    by_item = {row["item_id"]: row for row in rows(config, "items")}
    expected = [
        of_inspect(row["solution"], by_item[row["item_id"]]["target"])
        for row in rows(config, "solutions")
    ]
    assert scores(config, "close") == expected
    versions = {row["scorer_version"] for row in rows(config, "gradings")}
    assert f"inspect_ai {importlib.metadata.version('inspect_ai')}" in versions
    assert_reconciled(config)


def of_inspect(solution: str, target: str) -> float:
    output = ModelOutput.from_content("a/b", solution)
    state = TaskState(ModelName("a/b"), 1, 1, "", [], output=output)
    score: Any = asyncio.run(f1()(state, Target(target)))  # type: ignore[arg-type]
    return value_to_float()(score.value)


@pytest.mark.long
def test_gradings_by_another_inspect_are_stale_and_done_again_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = study_of(tmp_path, has={"type": "inspect", "scorer": "includes"})
    api.run(config)
    id = load_study(config).design.grade[1].id
    from itemeval_assets.storage.study.inputs import scorer_code

    monkeypatch.setattr(scorer_code, "version", lambda name: "9.9")
    assert load_study(config).design.grade[1].id == id
    assert [part.stale for part in api.status(config).grade] == [0, 4]
    summary = api.run(config)
    assert summary.calls == 0 and [part.stale for part in summary.status.grade] == [0, 0]
    assert {r["scorer_version"] for r in rows(config, "gradings") if r["scorer_name"] == "has"} == {
        "inspect_ai 9.9"
    }


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"scorer": "includs"}, "scorer: inspect_ai knows no scorer 'includs'; did you mean 'in"),
        (
            {"scorer": "mine"},
            "scorer: inspect_ai knows no scorer 'mine'; there are: answer, exact, f1, includes, "
            "match, math, pattern\n",
        ),
        (
            {"scorer": "mine.py@mine"},
            "scorer: 'mine.py@mine' is in a file, and `type: inspect` "
            "takes scorers of packages; write a plain function",
        ),
        ({"scorer": "nowhere/x"}, "scorer: no installed package registers 'nowhere' with inspect"),
        (
            {"scorer": "match", "args": {"loc": 1}},
            "args: 'match' takes no 'loc'; there are: location,",
        ),
        ({"scorer": "f1", "args": {"nonsense": 1}}, "args: 'f1' takes no 'nonsense'; there are:"),
        (
            {"scorer": "match", "args": {"location": "middle"}},
            "args: location: give 'begin', 'end', 'any' or 'exact'; found 'middle'",
        ),
        (
            {"scorer": "includes", "args": {"ignore_case": "no"}},
            "args: ignore_case: give true or false; found 'no'",
        ),
        ({"scorer": "pattern"}, "args: 'pattern' does not take {}: pattern() missing 1 required"),
        (
            {"scorer": "pattern", "args": {"pattern": "("}},
            "args: 'pattern' with {'pattern': '('} cannot score the answer '1': missing ), unterm",
        ),
        (
            {"scorer": "f1", "args": {"answer_fn": 3}},
            "args: 'f1' with {'answer_fn': 3} cannot score the answer '1': 'int' object is not",
        ),
    ],
)
def test_a_scorer_that_inspect_has_not_is_told_before_any_call(
    tmp_path: Path, entry: dict[str, Any], said: str, capsys: Any
) -> None:
    config = study_of(tmp_path, mine={"type": "inspect", **entry})
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert f"scorers.mine.{said}" in told
    assert not (tmp_path / "studies").exists()
