"""A rubric that asks for other scores than its grader declares is told."""

import pytest

from itemeval_assets.core.grading.asked_scales import doubts_of_scales
from itemeval_assets.core.grading.grader import ScoreScale
from itemeval_assets.core.grading.people import HumanConfig
from itemeval_assets.core.prompts.templates import make_template


def doubts(text: str, scale: ScoreScale, *, has_schemes: bool = False) -> list[str]:
    rubric = make_template("mine", "rubrics/mine.md", text)
    graders = HumanConfig(kind="human", scale=scale).graders("anna", [rubric])
    return list(doubts_of_scales(graders, has_schemes=has_schemes))


@pytest.mark.parametrize(
    "text",
    [
        "Score from 0 to 1: 1 if it is right.",
        "Give a score\nof 0 to 1.",
        "Rate it on a scale of 0 to 1, please.",
        "Grade the solution between 0.0 and 1.0",
    ],
)
def test_another_scale_is_told(text: str) -> None:
    [told] = doubts(text, (0, 10))
    assert "`scale` is [0, 10] for anna; say the same in both" in told
    assert told.startswith("template 'mine': it asks for scores from 0")
    assert doubts(text, (0, 1)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Is it right?",
        "Score it. The train goes from 3 to 5.",
        "Award points from 0 to 10; a score from 0 to 1 is a poor one.",
        "---\ncriteria: {clear: [0, 4], correct: [0, 6]}\n---\nScore each criterion from 0 to 4.",
    ],
)
def test_what_asks_for_no_other_scale_is_not(text: str) -> None:
    assert doubts(text, (0, 10)) == []


def test_graders_are_named_together() -> None:
    rubric = make_template("mine", "rubrics/mine.md", "Score it from 0 to 1.")
    person = HumanConfig(kind="human", scale=(0, 5))
    graders = [one for name in ("anna", "ben", "anna") for one in person.graders(name, [rubric])]
    [told] = doubts_of_scales(graders, has_schemes=False)
    assert "and `scale` is [0, 5] for anna, ben; say" in told


def test_a_scheme_of_the_item_says_its_own_scale() -> None:
    text = "{grading_scheme}\nIf the scheme is blank, give a score from 0 to 1."
    assert doubts(text, (0, 10), has_schemes=True) == []
    assert len(doubts(text, (0, 10))) == 1
