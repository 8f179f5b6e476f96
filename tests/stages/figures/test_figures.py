"""Comparisons, reliability, agreement, items and conditions of a study."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

import itemeval_assets as ie
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.errors import ConfigError, StoreError
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.measurement import MeasurementError
from itemeval_assets.stages.figures.judges.agreed import SLOPE
from itemeval_assets.stages.figures.planned import PlannedCells
from itemeval_assets.storage.study.store import open_store
from tests.rows import item, table
from tests.scored import JUDGES, scored_study
from tests.studies import write_study

METADATA = {"benchmark": {"mapping": {"metadata": ["topic"]}}}


def planted(model: str, grader: str, n: int, epoch: int) -> float:
    """alpha is better; the mild judge is milder; items differ."""
    wave = 0.1 * math.sin(7.0 * n + 3.0 * epoch + len(model))
    ability = 0.5 + 0.2 * (model == "mockllm/alpha") + 0.1 * (grader == "mild_judge")
    return round(ability + wave, 3)


def same(model: str, grader: str, n: int, epoch: int) -> float:
    return float((n + (model == "mockllm/beta")) % 2)


def test_words_come_first_and_graders_are_never_pooled(tmp_path: Path) -> None:
    found = ie.compare(scored_study(tmp_path, planted, items=40), "alpha", "beta")
    assert (found.facet, found.cluster, found.level) == ("model", None, 0.95)
    assert [one.graded_by for one in found.by_grader] == [
        "numeric",
        "strict_judge · strict",
        "mild_judge · strict",
    ]
    for one in found.by_grader:
        [difference] = one.differences
        assert difference.verdict.startswith("mockllm/alpha is ")
        assert difference.p < 0.001 < difference.low


def test_two_that_no_item_tells_apart(tmp_path: Path) -> None:
    found = ie.compare(scored_study(tmp_path, same, items=20), "alpha", "beta", graders="numeric")
    [difference] = found.by_grader[0].differences
    assert difference.verdict.startswith("Too close to call: 20 items cannot tell")
    assert (difference.value, difference.p_mcnemar) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "facet"),
    [
        ("mockllm/alpha", "beta", "model"),
        ("alpha · short", "beta · short", "condition"),
        ("strict_judge", "mild_judge", "grader"),
        ("mild", "numeric", "grader"),
    ],
)
def test_names_are_found_in_one_facet(tmp_path: Path, a: str, b: str, facet: str) -> None:
    assert ie.compare(scored_study(tmp_path, planted), a, b).facet == facet


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("alpha", "gamma", "'gamma' is no condition, model"),
        ("alpha", "bet · short", "did you mean 'beta · short'"),
        ("alpha", "numeric", "are not of one kind"),
        ("alpha", "mockllm/alpha", "are the same model"),
        ("alpha", "", "b is '': give a text"),
    ],
)
def test_names_that_mean_nothing(tmp_path: Path, a: str, b: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ie.compare(scored_study(tmp_path, planted), a, b)


def test_nothing_to_compare_is_an_error_for_two_and_words_for_all(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted, items=1)
    with pytest.raises(MeasurementError, match="share one item"):
        ie.compare(study, "alpha", "beta")
    for one in ie.comparisons(study).by_grader:
        assert not one.differences and "share one item" in one.words[0]


def test_one_condition_has_none_to_compare_with(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted, models=("mockllm/alpha",))
    for one in ie.comparisons(study).by_grader:
        assert one.words[0].startswith("The study has one condition, alpha · short: ")
        assert "a comparison needs two" in one.words[0]
    for one in ie.comparisons(study, facet="config").by_grader:
        assert one.words[0].startswith("The study has one model_config, ")


def test_what_has_no_score_is_told_of_the_cells(tmp_path: Path) -> None:
    def mute(model: str, grader: str, n: int, epoch: int) -> float | None:
        silent = grader == "mild_judge" or (grader == "numeric" and model == "mockllm/beta")
        return None if silent else planted(model, grader, n, epoch)

    study = scored_study(tmp_path, mute)
    alone, _, none = ie.comparisons(study, facet="model").by_grader
    assert alone.words == ["Only the model mockllm/alpha has scores: a comparison needs two."]
    for one in (none, ie.reliability(study).by_grader[2], ie.items(study).by_grader[2]):
        assert one.words == ["No cell has a score."]


NOT_GRADED: dict[str, Any] = {
    "compare": lambda study: ie.compare(study, "alpha", "beta"),
    "comparisons": ie.comparisons,
    "reliability": ie.reliability,
    "agreement": ie.agreement,
    "items": ie.items,
}


@pytest.mark.parametrize("figures", NOT_GRADED)
def test_a_study_without_gradings_is_told_so(tmp_path: Path, figures: str) -> None:
    study = load_study(write_study(tmp_path, items=3))
    said = f"nothing is graded yet: itemeval-assets run {study.config_path}"
    questions = [item(f"q{n}") for n in range(3)]
    open_store(study).replace("items", Partition(()), table("items", questions))
    with pytest.raises(StoreError, match=re.escape(said)) as raised:
        NOT_GRADED[figures](study)
    assert raised.value.exit_code == 2
    scores = ie.scores(study)
    assert scores.words == [f"N{said[1:]}"] and all(row.mean is None for row in scores.rows)


def test_all_pairs_have_letters_and_a_margin(tmp_path: Path) -> None:
    extra = {"measurement": {"margin": 0.5}}
    models = ("mockllm/alpha", "mockllm/beta", "mockllm/gamma")
    study = scored_study(tmp_path, planted, items=40, models=models, extra=extra)
    found = ie.comparisons(study, graders="numeric")
    [family] = found.by_grader
    assert len(family.differences) == 3
    assert family.letters["alpha · short"] not in family.letters["beta · short"]
    [within] = [words for words in family.words if "smaller than the margin of 50 points" in words]
    assert within.endswith("(at 95 %, Holm over 3 pairs).") and within.count(" and ") == 3


def test_a_margin_as_wide_as_a_scale_makes_nothing_alike(tmp_path: Path) -> None:
    graders = {"ten": {"model": "mockllm/judge", "scale": [0, 10]}}
    extra = {"measurement": {"margin": 5}}
    study = scored_study(tmp_path, planted, items=40, graders=graders, extra=extra)
    one, ten = ie.comparisons(study).by_grader
    said = "measurement.margin is 5, and the scale is 0 to 1: it says nothing of these scores."
    assert said in one.words and not any("smaller than the margin" in words for words in one.words)
    assert any("smaller than the margin of 5 (at" in words for words in ten.words)


@pytest.mark.parametrize("chosen", [["one", "ten"], ["one"]])
def test_one_margin_on_several_scales_is_said(tmp_path: Path, chosen: list[str]) -> None:
    graders = {
        "one": {"model": "mockllm/judge", "scale": [0, 1]},
        "ten": {"model": "mockllm/other", "scale": [0, 10]},
    }
    extra = {"measurement": {"margin": 0.5}}
    study = scored_study(tmp_path, planted, items=20, graders=graders, extra=extra)
    for found in (
        ie.comparisons(study, graders=chosen),
        ie.compare(study, "alpha", "beta", graders=chosen),
    ):
        for family in found.by_grader:
            said = [words for words in family.words if "whose scales differ" in words]
            assert len(said) == len(chosen) - 1
            for words in said:
                assert words.startswith("measurement.margin is 0.5 by each of these graders")
                assert "one · strict (0 to 1), ten · strict (0 to 10)." in words


def test_more_conditions_than_anybody_can_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tuple(f"mockllm/m{n}" for n in range(51))
    extra = {"facets": {"prompt": ["builtin:minimal", "builtin:standard"]}}
    study = scored_study(tmp_path, planted, items=2, models=models, graders={}, extra=extra)
    monkeypatch.setattr(PlannedCells, "of_grader", lambda *_: pytest.fail("cells were read"))
    [family] = ie.comparisons(study).by_grader
    assert family.words == [
        "102 conditions have 5,151 pairs: all pairs are for up to 100. Name two, or compare all"
        " pairs of another facet: model (51), prompt (2)."
    ]


def test_a_difference_may_depend_on_a_column(tmp_path: Path) -> None:
    def by_topic(model: str, grader: str, n: int, epoch: int) -> float:
        return planted(model, grader, n, epoch) + (n % 2) * (model == "mockllm/alpha")

    study = scored_study(tmp_path, by_topic, items=40, extra=METADATA)
    [family] = ie.compare(study, "alpha", "beta", by="topic", graders="numeric").by_grader
    assert family.interaction is not None
    assert family.interaction.p < 0.001 and set(family.interaction.levels) == {"t0", "t1"}
    assert any("depends on topic" in words for words in family.words)


def test_items_without_a_value_are_a_level_of_their_own(tmp_path: Path) -> None:
    study = scored_study(
        tmp_path,
        planted,
        items=30,
        metadata=lambda n: "{}" if n % 3 == 0 else f'{{"topic": "t{n % 2}"}}',
        extra=METADATA,
    )
    [family] = ie.compare(study, "alpha", "beta", by="topic", graders="numeric").by_grader
    assert family.interaction is not None
    assert set(family.interaction.levels) == {"(none)", "t0", "t1"}


WRONG: dict[str, Any] = {
    "by is 5": lambda study: ie.scores(study, by=5),  # type: ignore[arg-type]
    "by is '': give a text that is not empty": lambda study: ie.scores(study, by=""),
    "by is []": lambda study: ie.compare(study, "alpha", "beta", by=[]),  # type: ignore[arg-type]
    "b is None: give a text": lambda study: ie.compare(study, "alpha", None),  # type: ignore[arg-type]
    "random is 'prompt': give a list": lambda study: ie.reliability(study, random="prompt"),
    "panel is None: give True": lambda study: ie.scores(study, panel=None),  # type: ignore[arg-type]
    "graders is {'a': 1}": lambda study: ie.items(study, graders={"a": 1}),  # type: ignore[arg-type]
    "there is no facet": lambda study: ie.comparisons(study, facet=[]),  # type: ignore[arg-type]
    "pass_at is 1.5": lambda study: ie.scores(study, pass_at=1.5),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("message", WRONG)
def test_arguments_of_a_wrong_kind_are_refused_in_words(tmp_path: Path, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        WRONG[message](scored_study(tmp_path, planted, items=2, extra=METADATA))


def test_components_and_designs(tmp_path: Path) -> None:
    found = ie.reliability(scored_study(tmp_path, planted, items=20, replications=2))
    one = found.by_grader[0]
    assert (one.object, one.method, one.facets) == (
        "model",
        "ems",
        {"model": 2, "item_id": 20, "replication": 2},
    )
    assert [row["source"] for row in one.components] == [
        "model",
        "item_id",
        "model:item_id",
        "model:item_id:replication",
    ]
    errors = [design.relative_error for design in one.designs if design.facet == "item_id"]
    assert errors == sorted(errors, reverse=True)
    assert {design.n for design in one.designs if design.observed} == {20, 2}


def test_graders_may_be_crossed_where_their_scale_is_one(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted, items=20)
    judges = ["strict_judge", "mild_judge"]
    [fixed] = ie.reliability(study, graders=judges, crossed=True).by_grader
    assert fixed.fixed == ["grade_condition_id"]
    assert not [design for design in fixed.designs if design.facet == "grade_condition_id"]
    [random] = ie.reliability(study, graders=judges, crossed=True, random=["grader"]).by_grader
    assert [design for design in random.designs if design.facet == "grade_condition_id"]
    with pytest.raises(ConfigError, match="random: 'judge' is no facet"):
        ie.reliability(study, random=["judge"])


def test_graders_without_a_scale_in_common_have_none_to_agree_with(tmp_path: Path) -> None:
    graders = {
        "one": {"model": "mockllm/judge", "scale": [0, 1]},
        "ten": {"model": "mockllm/other", "scale": [0, 10]},
    }
    study = scored_study(tmp_path, planted, graders=graders)
    found = ie.agreement(study)
    assert not [one for one in found.figures if one.estimate and one.figure != SLOPE]
    assert {one.why for one in found.figures if one.figure == "agreement"} == {
        "These graders have no scale in common, so their scores cannot be compared: choose some"
        " with --grader, or declare graders.<name>.scale."
    }


def test_graders_are_crossed_and_agree_with_those_of_their_scale(tmp_path: Path) -> None:
    """And those that have no other of theirs are named."""

    def by_scale(model: str, grader: str, n: int, epoch: int) -> float:
        wave = math.sin(n + 3 * (grader in ("uno", "dix")) + len(model))
        return round(wave * (10 if grader in ("ten", "dix") else 1), 3)

    of_scale = {"one": [0, 1], "uno": [0, 1], "ten": [0, 10], "dix": [0, 10], "alone": None}
    graders = {
        name: {"model": f"{name}/judge", **({"scale": scale} if scale else {})}
        for name, scale in of_scale.items()
    }
    extra = {"measurement": {"families": {"mockllm/alpha": "one", "mockllm/beta": "uno"}}}
    study = scored_study(tmp_path, by_scale, items=12, graders=graders, extra=extra)
    ones, tens, alone = ie.reliability(study, graders=list(graders), crossed=True).by_grader
    assert (ones.graded_by, ones.scale) == ("one · strict, uno · strict", (0, 1))
    assert (tens.graded_by, tens.scale) == ("ten · strict, dix · strict", (0, 10))
    for one in (ones, tens):
        assert one.facets["grade_condition_id"] == 2
        assert one.words[0].startswith("Crossed with graders of its scale only")
    assert alone.components and alone.words[0].startswith("No other grader has its scale")

    found = ie.agreement(study)
    known = {(one.figure, one.of) for one in found.figures if one.estimate}
    assert {of for figure, of in known if figure == "ICC(2,1)"} == {ones.graded_by, tens.graded_by}
    assert ("self-preference", "all, scale 0 to 1") in known
    assert ("agreement", "alone · strict") in {(one.figure, one.of) for one in found.figures}
    cards = {card.judge: {one.figure: one for one in card.figures} for card in found.cards}
    assert list(cards) == found.judges
    assert cards["one · strict"]["self-preference"].estimate
    why = "alone · strict declares no scale, and no other grader has its rubric."
    assert cards["alone · strict"]["severity"].why == why


def test_graders_of_two_scales_are_not_compared(tmp_path: Path) -> None:
    graders = {
        "one": {"model": "mockllm/judge", "scale": [0, 1]},
        "ten": {"model": "mockllm/other", "scale": [0, 10]},
    }
    study = scored_study(tmp_path, planted, graders=graders)
    [found] = ie.comparisons(study, facet="grader", graders=["one", "ten"]).by_grader
    assert not found.differences and "no scale in common" in found.words[0]
    with pytest.raises(MeasurementError, match="no scale in common"):
        ie.compare(study, "one", "ten")
    [found] = ie.comparisons(study, facet="grader", graders="one").by_grader
    assert found.words == ["One grader has none to compare with."]


def test_graders_that_share_a_scale_are_compared_beside_others(tmp_path: Path) -> None:
    graders = {
        "ten": {"model": "mockllm/judge", "scale": [0, 10]},
        "other": {"model": "mockllm/other", "scale": [0, 10]},
        "free": {"model": "mockllm/third"},
    }
    study = scored_study(tmp_path, planted, items=20, graders=graders)
    [found] = ie.comparisons(study, facet="grader").by_grader
    [pair] = found.differences
    assert {str(pair.a).split()[0], str(pair.b).split()[0]} == {"ten", "other"}
    assert found.scale == (0, 10)
    assert found.words[0].startswith("Left out, as scores of another scale cannot be compared: ")
    assert "numeric (0 to 1)" in found.words[0] and "(scale not declared)." in found.words[0]


def test_a_judge_counts_once_beside_others(tmp_path: Path) -> None:
    graders = {**JUDGES, "mild_judge": {**JUDGES["mild_judge"], "repeats": 3}}
    study = scored_study(tmp_path, planted, items=20, graders=graders)
    [found] = ie.comparisons(study, facet="grader").by_grader
    assert found.scale == (0, 1)
    assert {one.b for one in found.differences} | {one.a for one in found.differences} == {
        "numeric",
        "strict_judge · strict",
        "mild_judge · strict",
    }
    judges = ["strict_judge", "mild_judge"]
    [crossed] = ie.reliability(study, graders=judges, crossed=True).by_grader
    assert crossed.facets["grade_condition_id"] == 2
    [alone] = ie.reliability(study, graders="mild_judge", crossed=True).by_grader
    assert alone.facets["grade_condition_id"] == 3


def test_judges_agree_and_one_is_milder(tmp_path: Path) -> None:
    extra = {"measurement": {"families": {"mockllm/beta": "other"}}}
    found = ie.agreement(scored_study(tmp_path, planted, items=30, extra=extra))
    assert found.judges == ["strict_judge · strict", "mild_judge · strict"]
    known = {(one.figure, one.of): one.estimate for one in found.figures if one.estimate}
    severity = known["severity", "strict_judge · strict"]
    assert severity.value == pytest.approx(-0.05)
    assert {"ICC(2,1)", "ICC(2,k)", "Krippendorff's alpha (interval)"} <= {
        figure for figure, _ in known
    }
    assert any(figure == "self-preference" for figure, _ in known)


def test_a_card_has_all_that_is_known_of_a_judge(tmp_path: Path) -> None:
    def failing(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if grader == "mild_judge" and n < 3 else planted(model, grader, n, epoch)

    extra = {"measurement": {"families": {"mockllm/beta": "other"}}}
    found = ie.agreement(scored_study(tmp_path, failing, items=30, extra=extra))
    strict, mild = found.cards
    assert [card.judge for card in found.cards] == found.judges
    assert (mild.model, mild.scale, mild.replies, mild.unparsed) == ("other/judge", (0, 1), 60, 6)
    assert (mild.usd, mild.usd_per_reply) == (30.0, 0.5)
    figures = {figure.figure: figure for figure in mild.figures}
    joint = {(one.figure, one.of): one for one in found.figures}
    assert figures["severity"] == joint["severity", "mild_judge · strict"]
    assert figures["self-preference"].of == "all"  # two families of two have one figure
    failed = figures["failed parses"].estimate
    assert failed is not None and failed.value == pytest.approx(0.1)
    assert 0 <= failed.low < 0.1 < failed.high and failed.n_items == 30
    assert figures["alpha with itself"].why == "It was asked once of each answer."
    others = figures["alpha with the mean of the others"].estimate
    together = joint["Krippendorff's alpha (interval)", ", ".join(found.judges)].estimate
    assert others is not None and together is not None
    assert others.value == pytest.approx(together.value)  # of two judges: the same
    assert strict.unparsed == 0
    assert any("failed parses of strict_judge" in words for words in strict.words)
    assert any("failed parses of strict_judge" in words for words in found.words)


def test_a_judge_without_scores_takes_no_figure_from_another(tmp_path: Path) -> None:
    def mute(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if grader == "mild_judge" else planted(model, grader, n, epoch)

    study = scored_study(tmp_path, mute, items=30, replications=2)
    store = open_store(study)
    for part in study.grade_partitions():  # answers differ in length
        rows = store.read("gradings_long", [part]).to_pylist()
        longer = [{**row, "solution": "4" * 40 * (1 + n)} for n, row in enumerate(rows)]
        store.upsert("gradings_long", part, table("gradings_long", longer))
    strict, mild = ie.agreement(study).cards
    slopes = [{one.figure: one for one in card.figures}[SLOPE] for card in (strict, mild)]
    assert slopes[0].estimate is not None and slopes[0].of == "strict_judge · strict"
    assert (slopes[1].estimate, slopes[1].why) == (None, "No cell has a score.")
    assert (mild.replies, mild.unparsed) == (120, 120)


def test_answers_that_hardly_differ_in_length_have_no_slope(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted, items=30, replications=2)
    store = open_store(study)
    for part in study.grade_partitions():
        rows = store.read("gradings_long", [part]).to_pylist()
        longer = [{**row, "solution": "4" * (1 + n)} for n, row in enumerate(rows)]
        store.upsert("gradings_long", part, table("gradings_long", longer))
    slopes = [one for one in ie.agreement(study).figures if one.figure == SLOPE]
    assert [one.estimate for one in slopes] == [None, None]
    assert "Answers to an item differ by 0.5 characters only" in str(slopes[0].why)


def test_a_judge_without_models_of_its_family_prefers_none(tmp_path: Path) -> None:
    [_, mild] = ie.agreement(scored_study(tmp_path, planted, items=30)).cards
    figures = {figure.figure: figure for figure in mild.figures}
    assert figures["self-preference"].why == "No model of its family, other, answers."


def test_one_judge_has_none_to_agree_with(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted, graders={"j": {"model": "mockllm/judge"}})
    [first, *_] = ie.agreement(study).figures
    assert (first.estimate, first.why) == (None, "One judge has none to agree with.")
    [card] = ie.agreement(study).cards
    assert {figure.why for figure in card.figures[:3]} == {
        "One judge has none to agree with.",
        "It was asked once of each answer.",
    }


def test_a_study_without_a_judge(tmp_path: Path) -> None:
    found = ie.agreement(scored_study(tmp_path, planted, graders={}))
    assert not found.figures and not found.cards and "has no judge" in found.words[0]


def test_answers_to_one_item_are_not_counted_as_independent(tmp_path: Path) -> None:
    extra = {**METADATA, "measurement": {"cluster": "topic"}}
    graders = {name: {**one, "repeats": 2} for name, one in JUDGES.items()}
    for more, n_clusters in (({}, 20), (extra, 10)):
        study = scored_study(
            tmp_path / str(n_clusters),
            planted,
            items=20,
            replications=2,
            graders=graders,
            metadata=lambda n: f'{{"topic": "t{n // 2}"}}',
            extra=more,
        )
        found = ie.agreement(study)
        own = [figure for card in found.cards for figure in card.figures]
        counts = {
            figure.figure: (figure.estimate.n_items, figure.estimate.n_clusters)
            for figure in [*found.figures, *own]
            if figure.estimate is not None and figure.estimate.n_events > 0
        }
        assert len(counts) > 5
        for name in ("Krippendorff's alpha (interval)", "alpha with itself"):
            assert counts[name] == (20, n_clusters), name
        assert set(counts.values()) == {(20, n_clusters)}


def test_items_that_tell_nothing_apart_are_flagged(tmp_path: Path) -> None:
    def dead(model: str, grader: str, n: int, epoch: int) -> float:
        return 1.0 if n == 0 else same(model, grader, n, epoch)

    study = scored_study(tmp_path, dead, items=8)
    [found] = ie.items(study, graders="numeric").by_grader
    flags = {row["item_id"]: row["flag"] for row in found.items}
    assert flags["q0"] == "always_right"
    assert found.dead is not None and found.dead.items == ["q0"]
    assert found.items[0]["question"] == "What is q0?"
    # Two answers, each graded by all three, though one grader was chosen.
    assert found.dead.usd == pytest.approx(2 * (0.25 + 3 * 0.5))
    assert "1 of 8 items tells no two conditions apart; without them" in found.words[0]
    assert "costs 3.5000 USD less, in answers and gradings." in found.words[0]


def test_a_flagged_item_has_its_logs(tmp_path: Path) -> None:
    def dead(model: str, grader: str, n: int, epoch: int) -> float:
        return 1.0 if n == 0 else same(model, grader, n, epoch)

    study = scored_study(tmp_path, dead, items=8)
    [found] = ie.items(study, graders="strict_judge").by_grader
    for row in found.items:
        assert bool(row["logs"]) == bool(row["flag"]), row
    assert all(uri.startswith(f"{study.location}/logs/") for uri in found.items[0]["logs"])


def test_what_stands_behind_an_item(tmp_path: Path) -> None:
    def failing(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if (n, epoch) == (1, 2) else float(grader == "numeric")

    study = scored_study(tmp_path, failing, items=3, replications=2)
    [first, other] = ie.item_answers(study, ["q1", "q0"], conditions="alpha")
    assert (first.item_id, first.question, first.target) == ("q1", "What is q1?", "4")
    assert (other.item_id, first.metadata) == ("q0", {"topic": "t1"})
    assert [(one.graded_by, one.replication, one.state, one.score) for one in first.answers] == [
        ("numeric", 1, "done", 1.0),
        ("numeric", 2, "unparsed", None),
        ("strict_judge · strict", 1, "done", 0.0),
        ("strict_judge · strict", 2, "unparsed", None),
        ("mild_judge · strict", 1, "done", 0.0),
        ("mild_judge · strict", 2, "unparsed", None),
    ]
    answer = first.answers[-1]
    assert answer.solution == "4" and answer.gen_log and answer.grade_log
    assert answer.gen_log.startswith(study.location)
    with pytest.raises(ConfigError, match="no item 'q11'; did you mean 'q1'"):
        ie.item_answers(study, "q11")


def test_conditions_have_all_their_parts(tmp_path: Path) -> None:
    study = scored_study(tmp_path, planted)
    found = ie.conditions(study)
    assert found["condition_id"].tolist() == [
        one.id for one in (*study.design.generate, *study.design.grade)
    ]
    assert found["stage"].tolist() == ["generate"] * 2 + ["grade"] * 3
    assert found["scale"].tolist()[2:] == [(0, 1)] * 3


def test_a_comparison_says_what_it_leaves_out(tmp_path: Path) -> None:
    def failing(model: str, grader: str, n: int, epoch: int) -> float | None:
        return None if n < 5 and model == "mockllm/alpha" else float((n + len(model)) % 2)

    study = scored_study(tmp_path, failing, items=40)
    [one] = ie.compare(study, "alpha", "beta", graders="numeric").by_grader
    [difference] = one.differences
    low, high = difference.bounds or (0.0, 0.0)
    assert difference.n_missing == 5 and low < difference.value < high
    assert high - low == pytest.approx(5 / 40)
    assert one.words[0].startswith(
        "The difference leaves out more than 2 % of the cells (5 without"
    )
    [family] = ie.comparisons(study, graders="numeric").by_grader
    assert family.differences[0].bounds is not None
    [whole] = ie.compare(study, "alpha", "beta", graders="numeric", by="dataset_id").by_grader
    assert whole.differences[0].bounds == difference.bounds


def test_many_levels_have_one_warning_and_a_p_by_holm(tmp_path: Path) -> None:
    study = scored_study(
        tmp_path,
        lambda model, grader, n, epoch: float((n * 7 + len(model) * n) % 3 == 0),
        items=40,
        metadata=lambda n: f'{{"topic": "t{n // 4}"}}',
        extra=METADATA,
    )
    [one] = ie.compare(study, "alpha", "beta", by="topic", graders="numeric").by_grader
    assert one.interaction is not None and len(one.interaction.levels) > 5
    assert sum("levels have only 4 items: their" in words for words in one.words) == 1
    assert len(one.words) < 6
    for level in one.interaction.levels.values():
        assert level.p >= level.p_unadjusted and (
            "levels, Holm" in level.verdict or not level.value
        )


def test_a_name_in_full_is_not_taken_for_the_start_of_another(tmp_path: Path) -> None:
    graders = {"betaj": JUDGES["mild_judge"], "other": JUDGES["strict_judge"]}
    study = scored_study(tmp_path, planted, graders=graders)
    with pytest.raises(ConfigError, match="are not of one kind"):
        ie.compare(study, "other", "beta")
    with pytest.raises(ConfigError, match=r"'bet' starts names of several kinds \(model mockllm/b"):
        ie.compare(study, "alpha", "bet")
    found = ie.compare(study, "alph", "mockllm/beta")
    assert found.facet == "model"
    assert {one.words[0] for one in found.by_grader} == {
        "'alph' was taken for the model mockllm/alpha."
    }


def test_reliability_says_that_it_takes_items_for_independent(tmp_path: Path) -> None:
    extra = {**METADATA, "measurement": {"cluster": "topic"}}
    study = scored_study(tmp_path, planted, items=20, extra=extra)
    [one] = ie.reliability(study, graders="numeric").by_grader
    assert any(words.startswith("Items are taken for independent here") for words in one.words)


def test_flags_are_ordered_by_kind_and_quarrels_are_of_chosen_graders(tmp_path: Path) -> None:
    def odd(model: str, grader: str, n: int, epoch: int) -> float:
        if n == 0 and grader == "mild_judge":
            return 0.0
        return float(n < 4 or (n + len(model)) % 3 == 0)

    study = scored_study(tmp_path, odd, items=10, replications=4)
    found = {one.graded_by: one for one in ie.items(study).by_grader}["strict_judge · strict"]
    flags = [row["flag"] for row in found.items]
    assert found.n_flagged == sum(flag is not None for flag in flags) > 3
    assert flags[found.n_flagged :] == [None] * (10 - found.n_flagged)
    [alone] = ie.items(study, graders="strict_judge").by_grader
    assert {row["quarrels"] for row in alone.items} == {None}


@pytest.mark.parametrize("figures", ["scores", "comparisons", "reliability", "agreement", "items"])
def test_scores_beyond_all_measure_break_nothing(tmp_path: Path, figures: str) -> None:
    study = scored_study(tmp_path, lambda _m, _g, n, _e: 1e308 if n else -1e308)
    assert "cannot be averaged" in repr(getattr(ie, figures)(study))
