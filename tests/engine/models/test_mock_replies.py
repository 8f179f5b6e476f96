"""Mock models differ in ability, items in difficulty, judges in severity. No call is by chance."""

from statistics import mean
from typing import Any

import pytest

from itemeval_assets.core.grading.judges.judge import JudgeConfig
from itemeval_assets.core.grading.judges.judge_reply import parse_judge_reply
from itemeval_assets.core.grading.scorers.exact_match import exact_match
from itemeval_assets.core.prompts.templates import make_template
from itemeval_assets.engine.models.mock_replies import Asked, answer, quality_seen

ITEMS = {f"q{n}": str(7 * n) for n in range(1, 41)}
RUBRIC = "Question: {} Correct answer: {}\nSolution:\n{}\nScore it."


def asked(model: str, item: str, draw: int = 1) -> Asked:
    return Asked(f"mockllm/{model}", item, ITEMS[item], f"What is 7 times {item[1:]}?", str(draw))


def shares_right(model: str, draws: int = 5) -> dict[str, float]:
    """By item: how often the model is right."""
    return {
        item: mean(
            exact_match(answer(asked(model, item, draw)), target).score or 0
            for draw in range(draws)
        )
        for item, target in ITEMS.items()
    }


def verdicts(judge: str, solutions: dict[str, str]) -> dict[str, float]:
    prompts = {
        item: RUBRIC.format(item, ITEMS[item], solution) for item, solution in solutions.items()
    }
    return {
        item: quality_seen(Asked(f"mockllm/{judge}", item, ITEMS[item], prompt))
        for item, prompt in prompts.items()
    }


def test_models_have_the_order_that_their_names_suggest() -> None:
    alpha, beta, gamma = (mean(shares_right(name).values()) for name in ("alpha", "beta", "gamma"))
    assert 0.95 > alpha > beta + 0.05 > gamma + 0.1 > 0.3


def test_items_are_hard_or_easy_for_all_models() -> None:
    alpha, gamma = shares_right("alpha", 20), shares_right("gamma", 20)
    hard = sorted(ITEMS, key=alpha.__getitem__)[:10]
    assert mean(gamma[item] for item in hard) < mean(gamma.values()) - 0.2
    assert min(alpha.values()) < 0.5 and max(gamma.values()) > 0.8


def test_judges_differ_in_severity_and_tell_right_from_wrong() -> None:
    solutions = {item: answer(asked("beta", item)) for item in ITEMS}
    right = {item for item, text in solutions.items() if exact_match(text, ITEMS[item]).score}
    strict, usual, kind = (verdicts(name, solutions) for name in ("strict", "judge", "lenient"))
    assert mean(strict.values()) + 0.05 < mean(usual.values()) < mean(kind.values()) - 0.1
    for found in (strict, usual, kind):
        assert min(found[item] for item in right) > max(
            found[item] for item in ITEMS.keys() - right
        )
    assert set(strict) == set(ITEMS) and all(0 <= one <= 1 for one in strict.values())


def test_a_reply_depends_on_the_call_alone() -> None:
    calls = [asked("alpha", item, draw) for item in ITEMS for draw in range(3)]
    assert [*map(answer, calls)] == [*map(answer, calls)]
    answers = {item: {answer(asked("gamma", item, n)) for n in range(9)} for item in ITEMS}
    assert any(len(one) > 1 for one in answers.values())


@pytest.mark.parametrize(
    ("target", "others"),
    [
        ("42", {"43", "44", "45"}),
        ("3.50", {"4.50", "5.50", "6.50"}),
        ("1,234", {"2,234", "3,234", "4,234"}),
        ("007", {"008", "009", "010"}),
        ("B", {"A", "C", "D"}),
        ("c", {"a", "b", "d"}),
        ("Yes", {"No"}),
        ("false", {"true"}),
        ("Danube", {"unknown"}),
        ("unknown", {"none"}),
        ("", {"unknown"}),
    ],
)
def test_a_wrong_answer_has_the_form_of_the_target(target: str, others: set[str]) -> None:
    texts = {answer(Asked("mockllm/gamma", f"q{n}", target, "?", "1")) for n in range(200)}
    assert all(text.startswith("A mock answer: ") for text in texts)
    assert {text.rpartition("ANSWER: ")[2] for text in texts} == others | {target or "right"}


def test_an_answer_of_a_real_model_without_a_last_line_is_judged_by_chance() -> None:
    prompts = [RUBRIC.format("?", "42", f"I say {n}.") for n in range(40)]
    found = [quality_seen(Asked("mockllm/judge", "q", "42", prompt)) for prompt in prompts]
    assert min(found) < 0.3 and max(found) > 0.7


@pytest.mark.parametrize(
    ("scale", "scores"),
    [
        (None, [0, 0.25, 0.5, 0.75, 1]),
        ((0, 1), [0, 0.25, 0.5, 0.75, 1]),
        ((1, 5), [1, 2, 3, 4, 5]),
        ((0, 10), [0, 2, 5, 8, 10]),
        ((-1, 1), [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_a_mock_judge_keeps_to_its_scale(scale: Any, scores: list[float]) -> None:
    config = JudgeConfig(model="mockllm/judge", scale=scale)
    (grader,) = config.graders(
        "judge", [make_template("strict", "strict.md", "{input} {solution}")]
    )
    assert grader.call
    replies = [grader.call.mock_reply(quality) for quality in (0, 0.24, 0.5, 0.76, 1)]
    assert [parse_judge_reply(reply).score for reply in replies] == scores
    assert all("A mock verdict: " in reply for reply in replies)
