"""Verifiable scorers: which part of a solution is compared with the target, and how."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.grading.verdict import RAW_LIMIT, Verdict


def scored(scorer: str, solution: str | None, target: str | None) -> Verdict:
    rules = SCORERS[scorer].rules
    assert rules is not None
    return rules({"target": target}, solution)


@pytest.mark.parametrize(
    ("solution", "payload"),
    [
        ("ANSWER: 42", "42"),
        ("So the\nanswer:42\nas shown", "42"),
        ("ANSWER : 42", "42"),
        ("ANSWER: 1\nANSWER: 2\nbye", "2"),
        ("ANSWER: 1 ANSWER: 2", "1 ANSWER: 2"),
        ("ANSWER: 5\r\nrest", "5"),
        ("ANSWER: 5\rrest", "5"),
        ("  no label  ", "no label"),
        ("ANSWER:", ""),
        ("ANSWER: 1\nANSWER:  \n\n", ""),
        ("ANSWER:\n\n42\nrest", "42"),
        ("**ANSWER: 42**", "42"),
        ("**ANSWER:** 42", "42"),
        ("**Final ANSWER**: 42", "42"),
        ("**ANSWER:**\n\n**42**", "42"),
        ("ANSWER: **42**.", "42"),
        ("ANSWER: x**2", "x**2"),
        ("ANSWER: $1,234.50.", "$1,234.50."),
        ("ANSWER: " + "x" * 1000, "x" * RAW_LIMIT),
        ("ANSWER: a\ud800b", "a\ufffdb"),
    ],
)
def test_score_raw_is_the_payload(solution: str, payload: str) -> None:
    assert scored("exact_match", solution, "t").score_raw == payload


@pytest.mark.parametrize(
    ("solution", "target", "score"),
    [
        ("ANSWER: Paris", "paris", 1.0),
        ("ANSWER:  New \t York. ", "new york", 1.0),
        ("new\nyork", "New York.", 1.0),
        ("ANSWER: STRASSE", "straße", 1.0),
        ("ANSWER: cafe\u0301", "caf\u00e9", 1.0),
        ("ANSWER: CAF\u00c9", "cafe\u0301", 1.0),
        ("ANSWER: " + "\u0301\u0323" * 1000, "caf\u00e9", 0.0),
        ("**ANSWER: Paris**", "Paris", 1.0),
        ("ANSWER: in Paris", "Paris", 0.0),
        ("I say Paris", "Paris", 0.0),
        ("ANSWER:", "Paris", 0.0),
        ("", "Paris", 0.0),
        ("ANSWER: .", ".", 1.0),
        ("", ".", 0.0),
    ],
)
def test_exact_match(solution: str, target: str, score: float) -> None:
    assert scored("exact_match", solution, target).score == score


@pytest.mark.parametrize(
    ("solution", "target", "score"),
    [
        ("ANSWER: B", "B", 1.0),
        ("ANSWER: b) 42", " B ", 1.0),
        ("ANSWER: (B)", "b", 1.0),
        (r"ANSWER: \boxed{\text{B}}", "B", 1.0),
        ("ANSWER: *B*", "B", 1.0),
        ("ANSWER: __B__", "B", 1.0),
        ("**ANSWER: B**", "B", 1.0),
        ("ANSWER: 'B'", "B", 1.0),
        ("ANSWER: option B, not C", "B", 1.0),
        ("ANSWER: C", "B", 0.0),
        ("ANSWER:\nB", "B", 1.0),
        ("I'm sure that it's B", "B", 1.0),
        ("I take B", "B", 1.0),
    ],
)
def test_multiple_choice(solution: str, target: str, score: float) -> None:
    assert scored("multiple_choice", solution, target).score == score


@pytest.mark.parametrize(
    ("solution", "target", "score"),
    [
        ("ANSWER: 42", "42.0", 1.0),
        ("**ANSWER: 42**", "42", 1.0),
        (r"ANSWER: \boxed{7}", "7", 1.0),
        ("ANSWER: $1,234.50.", "1234.5", 1.0),
        (r"ANSWER: \$1{,}234", "$1,234", 1.0),
        ("ANSWER: -5", "-5", 1.0),
        ("ANSWER: -$5", "-5", 1.0),
        ("x=-5", "-5", 1.0),
        ("ANSWER: \N{MINUS SIGN}5", "-5", 1.0),
        ("ANSWER: +5", "5", 1.0),
        ("ANSWER: 3/4", "4", 0.0),
        ("ANSWER: .5", "0.5", 1.0),
        ("ANSWER: -.5", "-0.5", 1.0),
        ("see No.5", "5", 1.0),
        ("ANSWER: 1.5e3", "1500", 1.0),
        ("ANSWER: 1E-3 m", "0.001", 1.0),
        ("ANSWER: 50%", "50", 1.0),
        ("ANSWER: 5.", "5", 1.0),
        ("2 and 2 make 4", "4", 1.0),
        ("ANSWER: 4 (not 5)", "4", 1.0),
        ("ANSWER: ٣", "3", 1.0),
        ("ANSWER: 1000000.9", "1000000", 1.0),
        ("ANSWER: 1000002", "1000000", 0.0),
        ("ANSWER: 1e-10", "0", 1.0),
        ("ANSWER: 1e-8", "0", 0.0),
        ("ANSWER: 1e999", "5", 0.0),
        ("ANSWER: " + "9" * 5000, "5", 0.0),
    ],
)
def test_numeric(solution: str, target: str, score: float) -> None:
    assert scored("numeric", solution, target).score == score


@pytest.mark.parametrize(
    ("scorer", "solution", "target", "code"),
    [
        ("exact_match", "Paris", " \n", "empty_target"),
        ("exact_match", "Paris", None, "empty_target"),
        ("multiple_choice", "B", "(B)", "target_not_letter"),
        ("multiple_choice", "B", "É", "target_not_letter"),
        ("multiple_choice", "B", "", "target_not_letter"),
        ("multiple_choice", "ANSWER: None", "B", "no_letter_found"),
        ("multiple_choice", "ANSWER: B1", "B", "no_letter_found"),
        ("multiple_choice", "B\nANSWER:", "B", "no_letter_found"),
        ("multiple_choice", None, "B", "no_letter_found"),
        ("numeric", "5", "five", "target_not_numeric"),
        ("numeric", "5", "3 or 4", "target_not_numeric"),
        ("numeric", "5", "", "target_not_numeric"),
        ("numeric", "1e999", "1e999", "target_not_numeric"),
        ("numeric", "nan", "nan", "target_not_numeric"),
        ("numeric", "ANSWER: five", "5", "no_number_found"),
        ("numeric", "ANSWER: 5e", "5", "no_number_found"),
        ("numeric", "ANSWER: 3-4", "4", "no_number_found"),
        ("numeric", "ANSWER: nan", "5", "no_number_found"),
        ("numeric", "5\nANSWER:", "5", "no_number_found"),
        ("numeric", "", "5", "no_number_found"),
        ("numeric", "x²", "2", "no_number_found"),
    ],
)
def test_failure_has_its_code(scorer: str, solution: str, target: str, code: str) -> None:
    verdict = scored(scorer, solution, target)
    assert (verdict.score, verdict.parse_ok, verdict.parse_error) == (None, False, code)


any_text = st.text(st.characters())
fragments = st.lists(
    st.one_of(
        st.sampled_from(["ANSWER:", "\n", "\r", " ", "**", "1e", "-", ".", "٣", "B", "'", "$"]),
        any_text,
    )
).map("".join)


@given(st.sampled_from(sorted(SCORERS)), st.one_of(any_text, fragments), fragments)
def test_any_text_gives_a_consistent_storable_verdict(scorer, solution, target) -> None:
    verdict = scored(scorer, solution, target)
    assert verdict.parse_ok == (verdict.parse_error is None) == (verdict.score is not None)
    assert verdict.score in {None, 0.0, 1.0}
    assert verdict.reasoning is None
    (verdict.score_raw or "").encode()


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["ANSWER: {}", "**ANSWER: {}.**", "x 1\nanswer: ${}$\nbye 7", "it is {}"]),
)
def test_a_number_matches_itself(number: float, form: str) -> None:
    assert scored("numeric", form.format(number), repr(number)).score == 1.0


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
@pytest.mark.parametrize(
    "target", ["", "  ", "4", "A", "b)", "AB", "Paris", "1/2", "1e999", "nan", "**4**", '""', "é"]
)
def test_a_scorer_says_which_targets_it_can_grade(scorer: Grader, target: str) -> None:
    assert scorer.targets and scorer.rules
    verdicts = [
        scorer.rules({"target": target}, f"ANSWER: {answer}") for answer in ("A", "4", target)
    ]
    refused = [str(v.parse_error).startswith(("target_", "empty_target")) for v in verdicts]
    assert refused == [not scorer.targets.takes(target)] * 3
