"""The case table of the scorers: what a careful person makes of an answer, the scorers do too."""

from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

import pytest

from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.grading.scorers.numbers import as_number

TABLE = Path(__file__).with_name("scorer_cases.txt")
MARKS = str.maketrans({"⏎": "\n", "⍽": "\u00a0", "∅": ""})


class Case(NamedTuple):
    scorer: str
    expected: str
    target: str
    solution: str
    targets: str


def read_table() -> Iterator[Case]:
    scorer = targets = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            scorer, targets = line.removeprefix("[").split("] ")
        elif line and not line.startswith("#"):
            expected, target, solution = (part.strip() for part in line.split("|", 2))
            yield Case(scorer, expected, target, solution.translate(MARKS), targets)


CASES = list(read_table())
TARGETS = {case.scorer: case.targets for case in CASES}
RIGHT = [case for case in CASES if case.expected == "1.0"]


def outcome(scorer: str, solution: str, target: str) -> str:
    rules = SCORERS[scorer].rules
    assert rules is not None
    verdict = rules({"target": target}, solution)
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


def other_texts(target: str) -> list[str]:
    return [f"{target} x", f"not {target}", f"{target}s"]


def other_letters(target: str) -> list[str]:
    return [letter for letter in ascii_uppercase if letter != target.upper()]


def other_numbers(target: str) -> list[str]:
    value = as_number(target)
    assert value is not None
    near, far = abs(value) / 1000 + 0.001, abs(value) / 10 + 1
    return [repr(other) for other in (value + near, value - near, value + far, value - far)]


OTHERS = {"texts": other_texts, "letters": other_letters, "numbers": other_numbers}


def test_a_right_answer_is_wrong_for_every_other_target() -> None:
    found = {
        (case, other): outcome(case.scorer, case.solution, other)
        for case in RIGHT
        for other in OTHERS[case.targets](case.target)
    }
    assert {key: got for key, got in found.items() if got != "0.0"} == {}


# Nobody who reads these takes x for the answer.
DENIED = ["not {x}", "not {x} but {y}", "{y}, not {x}", "{y} (not {x})", "{y}, never {x}"]
DENIED += ["{x} is wrong", "{x} is not right", "{x} was incorrect", "isn't {x}", "cannot be {x}"]
DENIED += ["anything but {x}", "neither {x} nor {y}", "less likely {x} than {y}", "~~{x}~~ {y}"]
DENIED += ["{y} rather than {x}", "{y} instead of {x}", "{y} (unlike {x})", "{y}; {x} is too small"]
DENIED += ["{y}, although {x} is close", "{y} because {x} is wrong", "{y}, since {x} is too small"]
DENIED += [
    "by no means {x}",
    "far from {x}",
    "rule out {x}",
    "{x} can be excluded",
]
DENIED += ["{x} would be a mistake", "{x} is too small", "excluding {x}", "I doubt {x}", "no {x}"]
DENIED += ["I don't think it is {x}", "the wrong answer {x}", "nicht {x}", "pas {x}", "不是{x}"]
TAKEN_BACK = [
    "{x}? No, {y}",
    "{x}. No, {y}",
    "{x}. Wait, {y}",
    "{x}; no, {y}",
    "first {x}, then {y}",
]
SEVERAL = ["{x} or {y}", "{y} or {x}", "{x} or maybe {y}", "either {x} or {y}", "{y} oder {x}"]
SEVERAL += [
    "{x}, {y}",
    "{y}, {x}",
    "{x} and {y}",
    "{x} & {y}",
    "{x}/{y}",
    "{x} ou {y}",
    "{y} vs {x}",
]
SEVERAL += ["between {y} and {x}", "{x}–{y}", "{y}-{x}", "{y} to {x}", "one of {x} and {y}"]
SEVERAL += [
    "{x} (or {y})",
    "{x} and/or {y}",
    "both {x} and {y}",
    "maybe {x}, maybe {y}",
    "{x}或{y}",
]
STATED = ["{x}", "{x}.", "it is {x}", "it's {x}", "definitely {x}", "{x}, of course", "I think {x}"]
STATED += ["it must be {x}", "{x} for sure", "{x} (not {y})", "{x}, not {y}", "{x} and not {y}"]
STATED += ["{x} rather than {y}", "not {y} but {x}", "{x} is correct", "the correct answer is {x}"]
STATED += ["{x} because {y} is wrong", "{x}, since {y} fails", "{y} is wrong, so {x}", "“{x}”"]
STATED += [
    "{x} as shown",
    "most likely {x}",
    "I choose {x}",
    "final answer: {x}",
    "so {x}",
    "{x}。",
]
FRAMES = ["%s", "ANSWER: %s", "answer:\n%s\n", "\\boxed{%s}", "The answer is %s.", "Antwort: %s"]
FRAMES += ["Therefore, %s.", "So I think that it is %s in the end, after all."]


@pytest.mark.parametrize(("scorer", "x", "y"), [("numeric", 7, 8), ("multiple_choice", "B", "D")])
@pytest.mark.parametrize("mark", ["{}", "({})", "${}$", "**{}**"])
def test_what_is_denied_or_left_open_scores_nothing(
    scorer: str, x: object, y: object, mark: str
) -> None:
    answers = [
        frame % form.format(x=mark.format(x), y=mark.format(y))
        for form in (*DENIED, *TAKEN_BACK, *SEVERAL)
        for frame in FRAMES
    ]
    assert [text for text in answers if outcome(scorer, text, str(x)) == "1.0"] == []


@pytest.mark.parametrize(("scorer", "x", "y"), [("numeric", 7, 8), ("multiple_choice", "B", "D")])
def test_what_is_stated_in_other_words_is_read(scorer: str, x: object, y: object) -> None:
    answers = [
        frame % form.format(x=x, y=y)
        for form in STATED
        for frame in ("%s", "ANSWER: %s", "\\boxed{%s}", "So I think, all in all, that %s")
    ]
    assert [text for text in answers if outcome(scorer, text, str(x)) != "1.0"] == []


NUMBERS = ["1 ", "1,", "1,111", "1\u00a0111", "1/", "10^", "-", "1-", "(1", "=1", "½", "x = 1, "]
LETTERS = ["B ", "B, ", "(B) ", "B or ", "A dog ", "not ", "B. x\n", "e.", "the answer is B "]
MARKS_ALONE = ["'", '"', "“", "**", "\n", " ", "{", "$", "$$ a", "\\(", "\u0301\u0323"]
REMARKS = ["\n_", "_ ", "\n(", "\nsteps: ", "\ntook 1 ", ", confidence level", "E. coli "]
LABELS = ["ANSWER", "ANSWER:", "ANSWER: 1\n", "\\boxed{", "\\text{", "\\frac{"]
HOSTILE = [*NUMBERS, *LETTERS, *MARKS_ALONE, *REMARKS, *LABELS]


@pytest.mark.parametrize("scorer", SCORERS)
def test_time_does_not_explode_with_the_length(scorer: str) -> None:
    """A time that grows with the square of the length would be seen here."""
    target = {"texts": "Q", "letters": "Q", "numbers": "7"}[TARGETS[scorer]]
    for label in ("", "ANSWER: "):
        for piece in HOSTILE:
            text = label + piece * (20_000 // len(piece))
            assert outcome(scorer, text, target) != "1.0"
