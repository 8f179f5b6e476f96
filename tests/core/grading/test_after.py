"""A grader after a scorer: what is settled, and which versions its gradings may have."""

from typing import Any

import pytest
from pydantic import ValidationError

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.grading.grader import Grader
from itemeval_assets.core.grading.judges.judge import JudgeConfig
from itemeval_assets.core.grading.kinds import SCORERS
from itemeval_assets.core.grading.own.contains import ContainsConfig
from itemeval_assets.core.grading.verdict import Verdict
from itemeval_assets.core.prompts.templates import make_template
from tests.core.design.conditions.test_conditions import BASE
from tests.studies import merged

RUBRIC = make_template("strict", "strict.md", "{input}{solution}")
EXACT = SCORERS["exact_match"]


def judge(scorer: Grader | None = EXACT, **keys: Any) -> Grader:
    [found] = JudgeConfig(model="a/b", scale=(-5, 10), **keys).graders("j", [RUBRIC])
    return found.following(scorer) if scorer else found


@pytest.mark.parametrize("score", [0.0, 0.5, 0.999, 1.001, None])
def test_only_the_highest_score_settles(score: float | None) -> None:
    given = Verdict.failed("empty_target") if score is None else Verdict.scored(score, "x")
    assert judge().settled(given) is None


def test_the_highest_score_of_the_scorer_is_that_of_the_judge() -> None:
    found = judge().settled(Verdict.scored(1.0, "x", "as written"))
    assert found == Verdict.scored(10, "x", "as written")
    own = ContainsConfig(type="contains", scale=(0, 4)).scorer("has", None)
    assert judge(own).settled(Verdict.scored(1.0, "x")) is None
    assert judge(own).settled(Verdict.scored(4.0, "x")) == Verdict.scored(10, "x")


def test_gradings_are_of_the_judge_or_of_the_scorer_of_today() -> None:
    assert judge(None).versions == (None,)
    assert judge().versions == (None, *EXACT.versions) and EXACT.versions != (None,)


def test_all_that_defines_the_scorer_is_in_the_payload() -> None:
    own = ContainsConfig(type="contains", scale=(0, 4)).scorer("has", None)
    assert judge(own).payload["after"] == {**own.payload, "best": 4.0, "gives": 10.0}
    assert {**judge(own).payload, "after": None} == {**judge(None).payload, "after": None}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"scale": [0, 1], "after": "exact_macth"}, "graders.j.after: 'exact_macth' is neither"),
        ({"scale": [0, 1], "after": "exact_macth"}, "did you mean 'exact_match'?"),
        ({"after": "numeric"}, "needs `scale` beside it"),
        ({"scale": None, "after": "numeric"}, "such as scale: [0, 10]"),
        ({"scale": [0, 1], "after": ""}, "at least 1 character"),
        ({"scale": [0, 1], "after": True}, "valid string"),
    ],
)
def test_what_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        StudyConfig.model_validate(merged(BASE, {"graders": {"j": {"model": "a/b", **keys}}}))
    assert message in str(error.value)
