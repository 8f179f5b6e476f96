"""Own scorers that are code of others, in a whole study: what they do ends no run."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.study import Study
from itemeval_assets.engine.study_files import load_study
from tests.defs.runs import GRADINGS, SOLUTIONS, message, runs_of
from tests.studies import write_study

from .looking import assert_reconciled, rows

MINE = '''\
"""Scores of mine."""
import os, sys, time
from inspect_ai.scorer import Score

from helper import half


def length(solution, target, metadata):
    """The length of the answer, and what the items say of their topic."""
    return len(solution) + (0.5 if metadata["topic"] else 0.0)


def odd(solution, target, metadata):
    print("hello", file=sys.stderr)
    os.write(1, b"[1, null, null, null]\\n")
    return WAYS[target]()


def scored(solution, target, metadata):
    return Score(value="P", answer="the answer", explanation="half right")


def crashes():
    os._exit(3)


def sleeps():
    time.sleep(60)


def raises():
    raise ValueError(half)


def forks():
    os.fork()
    return True


WAYS = {
    "2": crashes,
    "4": sleeps,
    "6": raises,
    "8": forks,
    "10": lambda: float("nan"),
    "12": lambda: "C",
}
'''


def own_study(folder: Path, function: str = "length", text: str = MINE, **keys: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(text)
    (folder / "helper.py").write_text("half = 'one half'\n")
    entry = {"type": "python", "function": f"mine.py:{function}", **keys}
    return write_study(
        folder,
        graders=[],
        scorer=["numeric", "mine"],
        items=6,
        extra={"scorers": {"mine": entry}},
    )


def mine(config: Path) -> dict[str, dict[str, Any]]:
    """The gradings of the scorer, by item."""
    found = rows(config, "gradings")
    return {row["item_id"]: row for row in found if row["scorer_name"] == "mine"}


def condition_of(study: Study, name: str = "mine") -> str:
    return next(c.id for c in study.design.grade if c.grader.name == name)


@pytest.mark.interpreters
def test_a_function_of_a_file_grades(tmp_path: Path) -> None:
    config = own_study(tmp_path, scale=[0, 5000])
    assert api.run(config).failed_checks == []
    texts = {row["item_id"]: row["solution"] for row in rows(config, "solutions")}
    found = mine(config)
    assert len(found) == 6
    for item, row in found.items():
        assert int(row["score"]) == len(texts[item]) and row["parse_ok"]
        assert (row["usd"], row["score_raw"]) == (0.0, repr(row["score"]))
    assert_reconciled(config)
    assert api.run(config).calls == 0
    assert load_study(config).design.grade[1].grader.scale == (0.0, 5000.0)


def test_a_score_of_inspect_is_read_as_inspect_reads_it(tmp_path: Path) -> None:
    config = own_study(tmp_path, "scored")
    api.run(config)
    for row in mine(config).values():
        assert (row["score"], row["score_raw"]) == (0.5, "the answer")
        assert row["reasoning"] == "half right"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_whatever_a_function_does_is_a_row_and_the_others_are_there(tmp_path: Path) -> None:
    config = own_study(tmp_path, "odd", timeout_s=1.5)
    summary = api.run(config)
    assert (summary.errored, summary.exit_code) == (0, 0)
    found = {
        item: (row["score"], row["parse_error"], row["reasoning"])
        for item, row in mine(config).items()
    }
    assert list(found.values()) == [
        (None, "scorer_error", "its process ended with exit code 3"),
        (None, "scorer_timeout", "no score within timeout_s = 1.5"),
        (None, "scorer_error", "ValueError: one half (mine.py, line 32)"),
        (1.0, None, None),
        (None, "scorer_not_finite", "it returned nan"),
        (None, "scorer_not_numeric", "it returned 'C', which is a str"),
    ]
    assert not any(row["error"] for row in mine(config).values())
    numeric = [r for r in rows(config, "gradings") if r["scorer_name"] == "numeric"]
    assert len(numeric) == 6 and all(row["parse_ok"] for row in numeric)
    assert_reconciled(config)
    (told,) = summary.unparsed
    assert told[:3] == ("mine", 5, 6)
    assert told.why in {f"scorers.mine: {found[item][2]}" for item in found}
    # A failure is a result: nothing is tried again.
    assert api.run(config).calls == 0


def test_a_changed_file_is_a_new_condition_and_the_limits_are_no_part_of_it(
    tmp_path: Path,
) -> None:
    first = load_study(own_study(tmp_path))
    limited = load_study(own_study(tmp_path, timeout_s=3, memory_mb=100))
    edited = load_study(own_study(tmp_path, text=MINE + "\n# better\n"))
    windows = load_study(own_study(tmp_path, text=MINE.replace("\n", "\r\n")))
    other = load_study(own_study(tmp_path, "scored"))
    ids = [condition_of(study) for study in (first, limited, windows, edited, other)]
    assert ids[0] == ids[1] == ids[2] and len(set(ids)) == 3
    assert {condition_of(study, "numeric") for study in (first, edited)} == {
        condition_of(first, "numeric")
    }


def test_a_run_uses_the_file_as_it_was_when_the_study_was_loaded(tmp_path: Path) -> None:
    text = "import pathlib\npathlib.Path('mine.py')\n\ndef length(s, t, m):\n    return 1\n"
    config = own_study(tmp_path, text=text)
    study = load_study(config)
    (tmp_path / "mine.py").write_text(text.replace("return 1", "return 0"))
    from itemeval_assets.engine.scorers.process import Answer, verdicts

    (program,) = study.design.programs
    assert [v.score for v in verdicts(program, [Answer("", "", "{}")])] == [1.0]


def test_loading_a_study_runs_nothing_of_it(tmp_path: Path) -> None:
    text = "raise SystemExit(7)\n\ndef length(s, t, m):\n    return 1\n"
    assert condition_of(load_study(own_study(tmp_path, text=text))).startswith("scorer_mine--")


WRONG = {
    "there is no file": (
        "mime.py:length",
        MINE,
        "mime.py; the path is relative to the config; did",
    ),
    "not at its top": ("mine.py:lenght", MINE, "no function 'lenght'; did you mean 'length'?"),
    "a slip of syntax": ("mine.py:length", "def length(:\n", "mine.py, line 1: invalid syntax"),
    "cannot be imported": (
        "mine.py:length",
        "\nimport nowhere\ndef length(s, t, m): return 1\n",
        "cannot be loaded: ModuleNotFoundError: No module named 'nowhere' (",
    ),
    "exits": (
        "mine.py:length",
        "import sys\nsys.exit(3)\ndef length(s, t, m): return 1\n",
        "cannot be loaded: SystemExit: 3 (",
    ),
    "ends at once": (
        "mine.py:length",
        "import os\nos._exit(3)\ndef length(s, t, m): return 1\n",
        "mine.py:length cannot be loaded: its process ended with exit code 3 (/",
    ),
    "other arguments": (
        "mine.py:length",
        "\n\ndef length(s): return 1\n",
        "line 3) is called as (solution, target, metadata): too many positional arguments",
    ),
    "of inspect_ai": (
        "mine.py:mine",
        "from inspect_ai.scorer import scorer\n@scorer(metrics=[])\ndef mine(): return print\n",
        "mine.py:mine is made for inspect_ai, by a decorator; write a plain function",
    ),
    "async": ("mine.py:length", "async def length(s, t, m): return 1\n", "write a plain `def`"),
    "a generator": (
        "mine.py:length",
        "def length(s, t, m): yield 1\n",
        "a `yield`: write `return`",
    ),
    "no function": ("mine.py:length", "length = 3\n", "is no function, but a int"),
    "a class": (
        "mine.py:length",
        "class length:\n    def __init__(self, s, t, m): pass\n",
        "is no function, but a class",
    ),
    "no module": ("nowhere.at_all:score", MINE, "no module 'nowhere' can be imported"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_loaded_is_told_before_any_call(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    function, text, said = WRONG[name]
    config = own_study(tmp_path, text=text)
    config.write_text(config.read_text().replace("mine.py:length", function))
    assert run_cli(["run", str(config)]) == 2
    told = capsys.readouterr().err
    assert "scorers.mine" in told and said in told and "Traceback" not in told
    assert not (tmp_path / "studies" / "toy" / "solutions.parquet").exists()
    assert not (tmp_path / "studies" / "toy" / "items.parquet").exists()


@pytest.mark.parametrize("step", [SOLUTIONS, GRADINGS], ids=["solutions", "gradings"])
def test_a_run_from_dagster_is_told_before_any_call_too(
    step: tuple[str, ...], tmp_path: Path
) -> None:
    text = "import nowhere\ndef length(s, t, m): return 1\n"
    study = load_study(own_study(tmp_path, text=text))
    with runs_of(study) as runs:
        assert runs.run(("items",)).success
        parts = study.generate_partitions() if step == SOLUTIONS else study.grade_partitions()
        result = runs.run(step, only=parts[-1])
        assert not result.success and "No module named 'nowhere'" in message(result)
        assert not runs.store.has_results()


def test_a_preflight_is_told_before_it_calls(tmp_path: Path, capsys: Any) -> None:
    text = "import nowhere\ndef length(s, t, m): return 1\n"
    config = own_study(tmp_path, text=text)
    assert run_cli(["preflight", str(config), "--yes"]) == 2
    assert "No module named 'nowhere'" in capsys.readouterr().err


def test_a_function_of_a_module_is_found_without_importing_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "their_scorers"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("base = 0.25\n")
    (package / "rules.py").write_text(
        "from . import base\n\ndef score(solution, target, metadata):\n    return base\n"
    )
    monkeypatch.syspath_prepend(package.parent)
    config = own_study(tmp_path)
    config.write_text(config.read_text().replace("mine.py:length", "their_scorers.rules:score"))
    study = load_study(config)
    assert "their_scorers" not in sys.modules
    assert study.snapshot.scorers["mine"].path == str(package / "rules.py")
    api.run(config)
    assert {row["score"] for row in mine(config).values()} == {0.25}


def test_a_hundred_thousand_answers_take_little_more_than_the_function(tmp_path: Path) -> None:
    from itemeval_assets.engine.scorers.process import Answer, verdicts

    text = "def length(solution, target, metadata):\n    return sum(map(ord, solution)) % 7\n"
    (program,) = load_study(own_study(tmp_path, text=text)).design.programs
    answers = [Answer(f"The answer is {n}, as anybody can see.", "x", "{}") for n in range(100_000)]
    names: dict[str, Any] = {}
    exec(text, names)
    start = time.perf_counter()
    alone = [float(names["length"](a.solution, a.target, {})) for a in answers]
    of_function = time.perf_counter() - start
    start = time.perf_counter()
    found = list(verdicts(program, answers))
    assert time.perf_counter() - start < 3 * of_function + 5
    assert [verdict.score for verdict in found] == alone


def test_a_release_and_a_manifest_have_the_scorer_without_its_secrets(tmp_path: Path) -> None:
    text = "KEY = 'sk-proj-0123456789abcdefABCDEF'\n\ndef length(s, t, m):\n    return len(s)\n"
    config = own_study(tmp_path, text=text)
    api.run(config)
    release = api.release(config)
    found = [*Path(tmp_path).rglob("mine-*.py")]
    assert len(found) == 1 and release.version in str(found[0])
    assert found[0].read_text() == text.replace("sk-proj-0123456789abcdefABCDEF", "(redacted)")
    payloads = [c.payload for c in load_study(config).design.grade]
    manifest = json.loads(next((tmp_path / "studies/toy/manifests").iterdir()).read_text())
    assert [one["payload"] for one in manifest["grid_grade"]] == payloads


def test_what_fails_with_each_answer_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "def length(s, t, m, more=None):\n    return len(s) + m['levle']\n"
    config = own_study(tmp_path, text=text)
    assert run_cli(["run", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    said = "6 of 6 replies of mine could not be parsed (100%), most often: scorers.mine: KeyError: "
    assert f"{said}'levle' (mine.py, line 2). See them:" in told
