"""Targets that no scorer can grade an answer by: told before anybody is called."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from tests.studies import write_study

from .conftest import Serve
from .looking import rows, write_prices

# Only the second target is a number; the last is no letter either.
TARGETS = ["Paris", "4", "", "Rome"]
SAID = (
    "scorer numeric can score no answer to 3 of 4 items: it needs a number as target, and theirs "
    "are q1: 'Paris', q3: '', q4: 'Rome'."
)


def declare(folder: Path, targets: Sequence[Any] = TARGETS, **changes: Any) -> Path:
    given = {"models": ["openai-api/test/m"], "graders": [], "scorer": "numeric"}
    budget = {"pricing_path": write_prices(folder, "m", "judge")}
    config = write_study(
        folder,
        **{**given, "solvers": {"max_tokens": 9}, "extra": {"budget": budget}, **changes},
    )
    lines = (
        {"id": f"q{n}", "question": f"{n}?", "answer": target, "scheme": "", "topic": ""}
        for n, target in enumerate(targets, 1)
    )
    (folder / "items.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return config


def test_an_estimate_and_the_start_of_a_run_tell_them(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    config = declare(tmp_path)
    assert run_cli(["estimate", str(config)]) == 0
    assert SAID in capsys.readouterr().out
    assert run_cli(["estimate", str(config), "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)["ungradable"]
    assert told == {
        "scorer": "numeric",
        "takes": "a number",
        "items": 3,
        "of_items": 4,
        "first": {"q1": "Paris", "q3": "", "q4": "Rome"},
    }
    assert run_cli(["run", str(config)]) == 0
    assert SAID in capsys.readouterr().err
    assert {row["parse_error"] for row in rows(config, "gradings")} >= {"target_not_numeric"}
    # Nothing is left to be paid.
    assert run_cli(["run", str(config)]) == 0
    assert "can score no answer" not in capsys.readouterr().err


def test_whoever_is_asked_for_consent_is_told_before(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    prices = {"pricing_path": write_prices(tmp_path, "m", "judge"), "confirm_above_usd": 0}
    config = declare(tmp_path, extra={"budget": prices})
    assert run_cli(["run", str(config)]) == 3
    assert SAID in capsys.readouterr().err
    assert server.count() == 0


@pytest.mark.parametrize(
    ("scorer", "targets", "takes"),
    [
        ("numeric", ["Paris", "Rome"], "a number"),
        ("exact_match", ["", " "], "a text that is not empty"),
        ("multiple_choice", ["Paris", ""], "one letter from A to Z"),
        ("found", ["", ""], "a text that is not empty"),
        pytest.param("held", ["", ""], "a text that is not empty", marks=pytest.mark.long),
        pytest.param("value", ["one", ""], "a number", marks=pytest.mark.long),
    ],
)
def test_a_run_of_which_no_answer_could_get_a_score_is_refused(
    tmp_path: Path,
    serve: Serve,
    capsys: pytest.CaptureFixture[str],
    scorer: str,
    targets: list[str],
    takes: str,
) -> None:
    server = serve()
    own = {
        "found": {"type": "regex", "pattern": r"\d+"},
        "held": {"type": "contains"},
        "value": {"type": "json", "path": "answer", "comparison": "numeric"},
    }
    config = declare(tmp_path, targets, scorer=scorer, extra={"scorers": own})
    assert run_cli(["run", str(config)]) == 2
    said = capsys.readouterr().err
    assert (
        f"scorer {scorer} can score no answer to 2 of 2 items: it needs {takes} as target" in said
    )
    assert "No call was made" in said
    assert server.count() == 0
    # Answers alone may be wanted, and a warning is enough for them.
    assert run_cli(["run", str(config), "--only", "solutions"]) == 0
    assert f"! scorer {scorer} can score no answer to 2 of 2 items" in capsys.readouterr().err


def test_a_judge_grades_whatever_the_target_is(tmp_path: Path, serve: Serve) -> None:
    serve()
    config = declare(tmp_path, ["", ""], graders=["openai-api/test/judge"])
    assert "can score no answer to 2 of 2 items" in api.estimate(config).warnings[0]
    assert api.run(config, max_usd=1).calls == 4


@pytest.mark.parametrize("scorer", ["exact_match", "numeric", "found", "held", "value", "theirs"])
def test_a_list_or_an_object_as_target_is_told_before_any_call(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str], scorer: str
) -> None:
    """Aliases, as SQuAD has them: a scorer would find each right answer wrong."""
    server = serve()
    own = {
        "found": {"type": "regex", "pattern": r"\d+"},
        "held": {"type": "contains"},
        "value": {"type": "json", "path": "answer"},
        "theirs": {"type": "inspect", "scorer": "includes"},
    }
    targets = [["four", "4"], {"text": ["4"], "answer_start": [0]}]
    config = declare(tmp_path, targets, scorer=scorer, extra={"scorers": own})
    assert run_cli(["run", str(config)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert (
        f"scorer {scorer} can find no answer to 2 of 2 items right: it compares with one answer, "
        'and their targets are lists or objects: q1: \'["four","4"]\', q2: '
    ) in said
    assert "a judge" in said
    assert "scorer in Python" in said
    assert server.count() == 0


def test_some_targets_that_are_lists_are_a_warning(tmp_path: Path, serve: Serve) -> None:
    serve()
    # A text of brackets is one answer, as an interval is, or `[]`.
    config = declare(tmp_path, ["[0,1]", "[]", '["4"', "{x}", ["4"]], scorer="exact_match")
    assert (
        api.estimate(config)
        .warnings[0]
        .startswith("scorer exact_match can find no answer to 1 of 5 items right")
    )


def test_targets_of_two_kinds_may_leave_nothing_to_a_scorer(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    config = declare(tmp_path, ["Paris", ["4"]])
    assert run_cli(["run", str(config)]) == 2
    said = capsys.readouterr().err
    assert "can score no answer to 1 of 2 items" in said
    assert "can find no answer to 1 of 2 items right" in said
    assert server.count() == 0


def test_a_function_may_take_a_list_as_target(tmp_path: Path, serve: Serve) -> None:
    serve()
    (tmp_path / "mine.py").write_text(
        "import json\n\n\ndef score(solution, target, metadata):\n"
        "    return float(any(one in solution for one in json.loads(target)))\n"
    )
    own = {"mine": {"type": "python", "function": "mine.py:score"}}
    config = declare(tmp_path, [["four", "4"]], scorer="mine", extra={"scorers": own})
    assert not [one for one in api.estimate(config).warnings if "target" in one]
    assert api.run(config, max_usd=1).calls == 1


def test_an_input_that_is_an_object_is_told_before_the_calls(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    config = declare(tmp_path, ["4", "5"])
    lines = (
        {"id": "q1", "question": {"text": "2+2?"}, "answer": "4", "scheme": "", "topic": ""},
        {"id": "q2", "question": "2+3?", "answer": "5", "scheme": "", "topic": ""},
    )
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = (
        "the input of 1 of 2 items is a list or an object, and is sent as its JSON text: q1: "
        '\'{"text":"2+2?"}\'. If that is not meant, map a column with the text in '
        "`benchmark.mapping.input`"
    )
    assert said in api.estimate(config).warnings
    assert run_cli(["run", str(config)]) == 0
    told = capsys.readouterr()
    assert told.err.startswith(f"! {said}") and said not in told.out
    assert run_cli(["run", str(config)]) == 0
    assert said not in capsys.readouterr().err
