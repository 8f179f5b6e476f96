"""plan: the designs of a study, what they find and what they still cost."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import itemeval_assets as ie
from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import ConfigError, ConsentMissing, StoreError
from itemeval_assets.figures.opening import planned_cells
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.report import figures as report_figures
from itemeval_assets.stages.figures.plans.costs import costs_of
from itemeval_assets.stages.figures.plans.room import Room
from tests.scored import scored_study
from tests.studies import merged, write_study

JUDGE = {"judge": {"model": "mockllm/judge", "scale": [0, 1], "repeats": 2, "temperature": 0.5}}


def noisy(model: str, grader: str, n: int, epoch: int) -> float:
    draw = np.random.default_rng([n, epoch, len(model), len(grader)]).normal(0, 0.1)
    own = np.random.default_rng([n, len(model)]).normal(0, 0.1)
    return float(np.clip(0.5 + draw + own, 0, 1))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return scored_study(
        tmp_path_factory.mktemp("plans"), noisy, items=40, replications=2, graders=JUDGE
    )


def test_designs_by_each_grader(study: Study) -> None:
    found = ie.plan(study)
    assert (found.of, found.n_items, found.population, found.power) == (
        "two conditions",
        40,
        40,
        0.8,
    )
    assert found.alpha == 0.05
    assert [one.graded_by for one in found.by_grader] == ["numeric", "judge · strict"]
    for one in found.by_grader:
        assert one.variances and one.variances.sigma2
        [now] = [row for row in one.designs if row.note == "now"]
        assert (now.items, now.replications, now.calls, now.usd) == (40, 2, 0, 0.0)
        assert [row.detect for row in one.designs] == sorted(
            (row.detect for row in one.designs), reverse=True
        )
    judged = found.by_grader[1].variances
    assert judged and judged.judge2 is not None  # alike in both repeats
    assert judged.judge2 == pytest.approx(0, abs=1e-12)


def test_the_picture_tells_each_design(study: Study) -> None:
    found = ie.plan(study, detect=0.079)
    drawn = report_figures.plan(found).pictures["designs"]()
    said = str(drawn.get_label())
    assert said.startswith("Smallest difference by cost. numeric: 0.")
    assert "with 40 items x 2 replications, 0 USD" in said


def test_the_plan_of_now_has_the_error_of_the_comparison(study: Study) -> None:
    plan = ie.plan(study, "alpha", "beta", graders="numeric").by_grader[0]
    [difference] = ie.compare(study, "alpha", "beta", graders="numeric").by_grader[0].differences
    assert plan.variances
    error = math.sqrt(plan.variances.of_item(2) / 40)
    assert error == pytest.approx(difference.standard_error)


def test_the_cheapest_design_and_its_lines(study: Study) -> None:
    [one] = ie.plan(study, detect=0.079, graders="numeric").by_grader
    assert one.chosen and one.chosen.detect <= 0.079 and one.chosen.items <= 40
    assert one.chosen.replications > 2
    assert one.lines == [f"facets: {{replications: {one.chosen.replications}}}"]
    # Answers of two models, and two repeats of the judge on each, beyond what is stored.
    row = one.chosen
    assert row.calls == 2 * (1 + 2) * (row.items * row.replications - row.items * 2)
    assert row.at_most_usd and row.usd and row.usd <= row.at_most_usd


def test_more_items_than_there_are_are_said(study: Study) -> None:
    [one] = ie.plan(study, detect=0.02, graders="numeric").by_grader
    assert one.chosen and one.chosen.items > 40
    assert "more items than there are" in one.chosen.note
    said = " ".join(one.words)
    assert "The items that there are find" in said
    assert f"{one.chosen.items - 40:,} more are needed" in said


def test_what_money_buys(study: Study) -> None:
    whole = ie.plan(study, detect=0.079, graders="numeric").by_grader[0].chosen
    assert whole and whole.at_most_usd
    [one] = ie.plan(study, max_usd=whole.at_most_usd, graders="numeric").by_grader
    assert one.chosen and one.chosen.detect <= 0.079
    assert one.chosen.at_most_usd and one.chosen.at_most_usd <= whole.at_most_usd
    with pytest.raises(
        MeasurementError, match=r"a difference of 7.9 points costs at most .* at most the smallest"
    ):
        ie.plan(study, detect=0.079, max_usd=whole.at_most_usd / 10, graders="numeric")


def test_what_money_buys_is_the_sharpest_within_it(study: Study) -> None:
    planned = planned_cells(study, None)
    [judge] = [one for one in study.design.grade if one.grader.name == "numeric"]
    amounts = costs_of(planned, "full-interactive").of(judge)
    ceiling = amounts(40, 14, 1).at_most_usd
    assert ceiling
    [one] = ie.plan(study, max_usd=ceiling, graders="numeric").by_grader
    assert one.chosen and (one.chosen.items, one.chosen.replications) == (40, 14)
    [one] = ie.plan(study, max_usd=1e6, graders="numeric").by_grader
    assert one.chosen and one.chosen.replications == 100
    assert "Designs of up to 100 replications are looked at." in one.words


def test_no_design_of_the_table_beats_another_but_that_of_now(study: Study) -> None:
    asked: list[dict[str, Any]] = [{}, {"detect": 0.079}, {"max_usd": 1.0}]
    for words in asked:
        for one in ie.plan(study, **words).by_grader:
            for row in one.designs:
                if "now" not in row.note and "asked for" not in row.note:
                    cost = (row.usd or 0, row.calls)
                    others = [two for two in one.designs if two is not row]
                    assert all(
                        two.detect > row.detect * (1 + 1e-12) or (two.usd or 0, two.calls) > cost
                        for two in others
                    )


def test_the_items_of_a_pilot_are_a_design(tmp_path: Path) -> None:
    study = scored_study(tmp_path, noisy, items=33, replications=2, graders={})
    path = study.config_path
    document = merged(yaml.safe_load(path.read_text()), {"facets": {"replications": 3}})
    path.write_text(yaml.safe_dump(document))
    [one] = ie.plan(path).by_grader
    assert (33, 2, 0) in {(row.items, row.replications, row.calls) for row in one.designs}


def test_a_plan_says_that_precision_ends_a_run_before(tmp_path: Path) -> None:
    sample = {"benchmark": {"sample": {"n": 33, "seed": 0}}}
    extra = {**sample, "precision": {"half_width": 0.2}}
    models = ["mockllm/a", "mockllm/b"]
    study = write_study(tmp_path, models=models, graders=[], items=33, extra=extra)
    note = ie.plan(study, detect=0.3, omega2=0.1).notes[0]
    assert note.startswith("With `precision` a run ends once its half_width of 0.2 is reached")
    assert not any("precision" in one for one in ie.plan(study, pilot=12).notes)


def test_a_design_that_the_budget_forbids_is_said(tmp_path: Path) -> None:
    limit: dict[str, Any] = {"budget": {"max_usd": 1.0}}
    path = write_study(tmp_path, models=["mockllm/a", "mockllm/b"], items=2000, extra=limit)
    stated: dict[str, Any] = {"omega2": 1 / 9, "graders": "numeric"}
    found = ie.plan(path, detect=0.03, **stated)
    [one] = found.by_grader
    assert one.chosen and one.chosen.note == "asked for, over budget.max_usd"
    words = (
        "budget.max_usd is $1.00: a run of this is refused. Raise it, or plan with --max-usd 1.00."
    )
    assert one.words[0] == words
    [one] = ie.plan(path, max_usd=1.0, **stated).by_grader
    assert one.chosen and one.chosen.note == "asked for" and "refused" not in " ".join(one.words)
    assert ie.plan(path, pilot=100).notes[-1] == words
    assert words not in ie.plan(path, pilot=10).notes


def test_what_is_spent_or_reserved_takes_room() -> None:
    room = Room(5.0, 4.5)
    assert (room.forbids(0.5), room.forbids(0.51), room.forbids(None)) == (False, True, False)
    assert [*room.words_on(0.51)] == [
        "budget.max_usd is $5.00, $4.50 of it spent or reserved: a run of this is refused. Raise "
        "it, or plan with --max-usd 0.50."
    ]
    assert next(iter(Room(5.0, 5.0).words_on(1.0))).endswith("is refused. Raise it.")
    assert not Room(None).forbids(1e9)


def test_a_scorer_has_no_judge_repeats(study: Study) -> None:
    stated: dict[str, Any] = {"omega2": 0.1, "sigma2": 0.1, "judge2": 0.1}
    numeric, judge = ie.plan(study, **stated).by_grader
    assert numeric.variances and numeric.variances.judge2 is None
    assert {row.repeats for row in numeric.designs} == {1}
    assert {row.repeats for row in judge.designs} > {1}
    with pytest.raises(ConfigError, match="judge2: numeric is no judge"):
        ie.plan(study, **stated, graders="numeric")


def test_a_pilot_of_a_new_study(tmp_path: Path) -> None:
    path = write_study(tmp_path, models=["mockllm/a", "mockllm/b"], items=40)
    with pytest.raises(StoreError, match=r"nothing is graded yet.*--pilot 30"):
        ie.plan(path)
    pilot = ie.plan(path, pilot=12).pilot
    assert pilot and (pilot.items, pilot.replications) == (12, 2)
    assert pilot.calls == 12 * 2 * 2 * 2
    assert not (tmp_path / "studies").exists()
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    for line in pilot.lines:
        document = merged(document, yaml.safe_load(line))
    path.write_text(yaml.safe_dump(document))
    summary = ie.run(path, policy="dev", max_usd=pilot.at_most_usd)
    assert summary.calls == pilot.calls
    assert len(ie.plan(path).by_grader) == 2
    with pytest.raises(ConsentMissing, match=r"This run resolves differences of \d+\.\d points or"):
        ie.run(path, max_usd=0.0)
    after = ie.plan(path, pilot=12).pilot
    assert after and (after.calls, after.at_most_usd) == (0, 0.0)


def test_stated_variances_need_no_rows(tmp_path: Path) -> None:
    path = write_study(tmp_path, models=["mockllm/a", "mockllm/b"], items=2000)
    found = ie.plan(path, detect=0.03, omega2=1 / 9, graders="numeric").by_grader[0]
    assert found.chosen and found.chosen.items == 971
    assert found.lines == [
        "benchmark: {sample: {n: 971, seed: 0}}",
    ]
    with pytest.raises(ConfigError, match="state omega2, too"):
        ie.plan(path, sigma2=0.1)


def test_without_a_price_calls_are_compared(tmp_path: Path) -> None:
    models = ["mockllm/a", "openai/no-such-model"]
    path = write_study(tmp_path, models=models, items=40, graders=[])
    [one] = ie.plan(path, omega2=0.01, detect=0.1).by_grader
    assert one.chosen and one.chosen.usd is None and one.chosen.calls == 2 * one.chosen.items
    assert "No price is known for openai/no-such-model" in " ".join(one.words)
    with pytest.raises(MeasurementError, match="no price is known for openai/no-such-model"):
        ie.plan(path, omega2=0.01, max_usd=1.0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"detect": 0.0}, "detect: 0 is no difference"),
        ({"detect": 2.0}, "no difference is larger"),
        ({"power": 1.0}, "power is 1"),
        ({"power": 0.01}, "calls one as often"),
        ({"max_usd": -1.0}, "max_usd: -1 buys nothing"),
        ({"pilot": 5}, "pilot: 5 is too few items to plan with; give 10"),
        ({"pilot": 50}, "pilot: 50 items, and the study has 40"),
        ({"detect": 1e-9}, "finds so small a difference"),
        ({"a": "alpha"}, "name what it is compared with"),
        ({"a": "alpha", "b": "gamma"}, "'gamma' is no condition"),
        ({"omega2": -1.0}, "omega2 is -1"),
        ({"pilot": 12, "detect": 0.02}, "before a plan; leave out detect, or pilot"),
        ({"pilot": 12, "omega2": 0.2}, "leave out omega2, or pilot"),
    ],
)
def test_bad_input(study: Study, asked: dict[str, Any], words: str) -> None:
    with pytest.raises((ConfigError, MeasurementError)) as refusal:
        ie.plan(study, **asked)
    assert words in str(refusal.value)


def test_where_nothing_varies_nothing_is_planned(tmp_path: Path) -> None:
    def equal(model: str, grader: str, n: int, epoch: int) -> float:
        return 0.7 if model == "mockllm/alpha" else 0.6

    study = scored_study(tmp_path, equal, items=12, graders={})
    same = "all differences on these 12 items are the same, so nothing tells which design"
    with pytest.raises(MeasurementError, match=same):
        ie.plan(study, detect=0.02)
    for omega2 in (0.0, 1e-320):
        with pytest.raises(MeasurementError, match="the variances that are stated add up to none"):
            ie.plan(study, detect=0.02, omega2=omega2)
    [least] = ie.plan(study, detect=0.5, omega2=1e-6).by_grader
    assert least.chosen and least.chosen.items == 10
