"""The case table of the scorers: what a careful person makes of an answer, the scorers do too."""

from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

import pytest

from itemeval_assets.core.verifiable import SCORERS, score_solution
from itemeval_assets.core.verifiable.numbers import as_number

TABLE = Path(__file__).with_name("scorer_cases.txt")
MARKS = str.maketrans({"⏎": "\n", "⍽": "\u00a0", "∅": ""})


class Case(NamedTuple):
    scorer: str
    expected: str
    target: str
    solution: str


def read_table() -> Iterator[Case]:
    scorer = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            scorer = line.strip("[]")
        elif line and not line.startswith("#"):
            expected, target, solution = (part.strip() for part in line.split("|", 2))
            yield Case(scorer, expected, target, solution.translate(MARKS))


CASES = list(read_table())
RIGHT = [case for case in CASES if case.expected == "1.0"]


def outcome(scorer: str, solution: str, target: str) -> str:
    verdict = score_solution(scorer, solution, target)
    return verdict.parse_error or str(verdict.score)


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_scorer_judges_as_a_careful_person_does(scorer: str) -> None:
    found = {
        case: outcome(scorer, case.solution, case.target) for case in CASES if case.scorer == scorer
    }
    assert {case: got for case, got in found.items() if got != case.expected} == {}


def test_the_table_holds_every_scorer_and_each_case_once() -> None:
    assert {case.scorer for case in CASES} == set(SCORERS)
    assert len(set(CASES)) == len(CASES) > 1000


def other_targets(case: Case) -> list[str]:
    if case.scorer == "multiple_choice":
        return [letter for letter in ascii_uppercase if letter != case.target.upper()]
    if case.scorer == "exact_match":
        return [f"{case.target} x", f"not {case.target}", f"{case.target}s"]
    value = as_number(case.target)
    assert value is not None
    near, far = abs(value) / 1000 + 0.001, abs(value) / 10 + 1
    others = [value + near, value - near, value + far, value - far]
    return [repr(other) for other in others]


def test_a_right_answer_is_wrong_for_every_other_target() -> None:
    found = {
        (case, other): outcome(case.scorer, case.solution, other)
        for case in RIGHT
        for other in other_targets(case)
    }
    assert {key: got for key, got in found.items() if got != "0.0"} == {}


NUMBERS = ["1 ", "1,", "1,111", "1\u00a0111", "1/", "10^", "-", "1-", "(1", "=1", "½", "x = 1, "]
LETTERS = ["B ", "B, ", "(B) ", "B or ", "A dog ", "not ", "B. x\n", "e.", "the answer is B "]
MARKS_ALONE = ["'", '"', "“", "**", "\n", " ", "{", "$", "$$ a", "\\(", "\u0301\u0323"]
LABELS = ["ANSWER", "ANSWER:", "ANSWER: 1\n", "\\boxed{", "\\text{", "\\frac{"]
HOSTILE = [*NUMBERS, *LETTERS, *MARKS_ALONE, *LABELS]


@pytest.mark.parametrize("scorer", SCORERS)
def test_time_does_not_explode_with_the_length(scorer: str) -> None:
    """A time that grows with the square of the length would be seen here."""
    for label in ("", "ANSWER: "):
        for piece in HOSTILE:
            text = label + piece * (30_000 // len(piece))
            assert outcome(scorer, text, {"numeric": "7"}.get(scorer, "Q")) != "1.0"
