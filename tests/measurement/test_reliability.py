"""Components by both ways of REML, nested and fixed facets, and decision studies by hand."""

import numpy as np
import pytest

from itemeval_assets.measurement import MeasurementError, decision_study, variance_components
from itemeval_assets.measurement.reliability import figures, grid
from itemeval_assets.measurement.reliability.likelihood import maximum
from itemeval_assets.measurement.reliability.likelihood.of_cells import OfCells
from itemeval_assets.measurement.reliability.likelihood.of_holes import OfHoles
from tests.measurement.frames import crossed


def three_way(seed: int = 0, replications: int = 2) -> np.ndarray:
    """Models x items x prompts x replications, with all effects."""
    random = np.random.default_rng(seed)
    shape = (6, 12, 3, replications)
    scores = random.normal(0, 0.5, shape)
    for kept, deviation in ((0, 1.0), (1, 0.8), (2, 0.4)):
        size = [n if axis == kept else 1 for axis, n in enumerate(shape)]
        scores += random.normal(0, deviation, size)
    return scores + random.normal(0, 0.6, (6, 12, 1, 1))


FULL = crossed(three_way(), "model", "item", "prompt", "replication")
FACETS = ["model", "item", "prompt"]


@pytest.mark.parametrize(
    ("fixed", "rows"),
    [([], slice(5, None)), (["prompt"], slice(None)), (["model", "prompt"], slice(5, None))],
)
def test_both_ways_of_reml_agree(monkeypatch, fixed, rows):
    few = FULL[FULL["item"] < 7]
    frame = few.drop(index=few.index[[7, 60, 61, 62, 90]])[rows]
    found = []
    for way in (OfCells, OfHoles):
        monkeypatch.setattr(figures, "likelihood_of", way)
        found.append(variance_components(frame, FACETS, fixed=fixed, method="reml").table)
    assert found[0]["estimate"].to_numpy() == pytest.approx(found[1]["estimate"], abs=1e-6)


@pytest.mark.parametrize("fixed", [[], ["prompt"]])
def test_reml_of_a_full_grid_is_ems_where_no_estimate_is_negative(fixed):
    ems, by_likelihood = (
        variance_components(FULL, FACETS, fixed=fixed, method=method) for method in ("ems", "reml")
    )
    assert not ems.table["negative"].any() or (ems.table["estimate"] > -0.02).all()
    random = ~ems.table["fixed"]
    assert by_likelihood.table["variance"][random].to_numpy() == pytest.approx(
        ems.table["variance"][random], abs=0.01
    )
    assert by_likelihood.table["mean_square"].isna().all()
    assert (by_likelihood.table["df"] == ems.table["df"]).all()


def test_the_method_is_chosen_and_the_reason_said():
    full = variance_components(FULL, FACETS)
    assert (full.method, full.reason) == ("ems", "no cell is missing, and all have as many rows")
    holes = variance_components(FULL[1:], FACETS)
    assert holes.method == "reml"
    assert holes.reason == (
        "1 of 432 cells (6 model x 12 item x 3 prompt x 2 residual) have no score."
    )
    assert variance_components(FULL, FACETS, method="reml").reason == "reml was asked for"


def test_replications_named_or_not_are_the_same():
    named = variance_components(
        FULL, [*FACETS, "replication"], nested={"replication": ["model", "item", "prompt"]}
    )
    plain = variance_components(FULL, FACETS)
    assert named.table["variance"].to_numpy() == pytest.approx(plain.table["variance"])
    assert named.table["source"].iloc[-1] == "model:item:prompt:replication"
    assert named.n["replication"] == plain.n["residual"] == 2


def test_a_nested_facet_has_no_source_of_its_own():
    frame = FULL.assign(rater=FULL["prompt"] + 3 * FULL["item"])
    found = variance_components(frame, ["model", "item", "rater"], nested={"rater": "item"})
    assert list(found.table["source"]) == [
        "model",
        "item",
        "model:item",
        "item:rater",
        "model:item:rater",
        "residual",
    ]
    assert list(found.table["df"]) == [5, 11, 55, 24, 120, 216]
    assert found.n["rater"] == 3
    assert found.variance("rater", "item") == found.variance("item", "rater")


def test_negative_estimates_are_0_marked_and_said():
    scores = np.tile([[1.0, 2.0], [2.0, 1.0]], (1, 1))
    found = variance_components(crossed(scores, "model", "item"), ["model", "item"])
    assert list(found.table["variance"][:2]) == [0, 0]
    assert list(found.table["negative"]) == [True, True, False]
    assert (found.table["estimate"][:2] < 0).all()
    assert found.warnings[0] == "Negative estimates are set to 0: model, item."
    assert found.warnings[1].startswith("Few degrees of freedom, so hardly known: model (1)")


def test_a_fixed_facet_has_a_spread_and_no_interval():
    found = variance_components(FULL, FACETS, fixed=["prompt"]).table.set_index("source")
    assert found["fixed"].sum() == 1 and found.loc["prompt", "fixed"]
    assert found["low"].isna().sum() == found["high"].isna().sum() == 1
    assert not found.loc[~found["fixed"], ["low", "high"]].isna().any(axis=None)


def test_a_decision_study_by_hand():
    components = variance_components(FULL, FACETS)
    v = {name: components.variance(*name.split(":")) for name in components.table["source"]}
    found = decision_study(components, {"item": 40, "residual": 4})
    relative = v["model:item"] / 40 + v["model:prompt"] / 3 + v["model:item:prompt"] / 120
    relative += v["residual"] / 480
    absolute = relative + v["item"] / 40 + v["prompt"] / 3 + v["item:prompt"] / 120
    assert found.n == {"item": 40, "prompt": 3, "residual": 4}
    assert found.relative_error == pytest.approx(relative)
    assert found.absolute_error == pytest.approx(absolute)
    assert found.generalizability == pytest.approx(v["model"] / (v["model"] + relative))
    assert found.dependability == pytest.approx(v["model"] / (v["model"] + absolute))


def test_a_fixed_facet_is_no_error_and_its_interaction_is_the_objects_own():
    components = variance_components(FULL, FACETS, fixed=["prompt"])
    v = {name: components.variance(*name.split(":")) for name in components.table["source"]}
    found = decision_study(components)
    assert found.object_variance == pytest.approx(v["model"] + v["model:prompt"] / 3)
    absolute = v["item"] / 12 + v["item:prompt"] / 36 + v["model:item"] / 12
    absolute += v["model:item:prompt"] / 36 + v["residual"] / 72
    assert found.absolute_error == pytest.approx(absolute)
    with pytest.raises(ValueError, match="'prompt' is fixed at its 3 levels"):
        decision_study(components, {"prompt": 5})


def test_the_interval_of_a_residual_of_normal_scores_is_that_of_chi_square():
    from scipy import stats

    one = crossed(np.random.default_rng(1).normal(size=(4, 9)), "batch", "row")
    table = variance_components(one, ["batch"]).table.set_index("source")
    square = float(table["mean_square"]["residual"])
    expected = [32 * square / stats.chi2.ppf(share, 32) for share in (0.975, 0.025)]
    assert [table.loc["residual", "low"], table.loc["residual", "high"]] == pytest.approx(expected)


@pytest.mark.parametrize("holes", [0, 3])
def test_few_degrees_of_freedom_have_a_wide_interval_also_where_levels_are_alike(holes):
    """Of two models with the same mean nobody knows how far models lie apart."""
    random = np.random.default_rng(1)
    for _ in range(20):
        scores = (random.random((2, 30)) < 0.5).astype(float)
        scores[1] = random.permutation(scores[0])
        frame = crossed(scores, "model", "item_id").iloc[holes:]
        model = variance_components(frame, ["model", "item_id"]).table.iloc[0]
        assert (model["df"], model["low"]) == (1, 0)
        assert model["high"] > 1


@pytest.mark.parametrize(
    "scores",
    [
        [[1, 1], [0, 0], [0, np.nan]],
        [[1, np.nan, 1, 1], [1, 0, 1, 1]],
        [[0, 0, 0], [1, np.nan, np.nan], [1, 1, 1]],
    ],
)
def test_scores_that_one_source_explains_are_refused_and_lapack_says_nothing(scores, capfd):
    frame = crossed(np.array(scores, dtype=float), "model", "item_id")
    with pytest.raises(MeasurementError, match="REML finds no components"):
        variance_components(frame, ["model", "item_id"])
    assert capfd.readouterr() == ("", "")


def test_what_is_too_large_for_reml_is_refused(monkeypatch):
    monkeypatch.setattr(maximum, "MOST_HOLES", 3)
    monkeypatch.setattr(maximum, "MOST_CELLS", 100)
    with pytest.raises(ValueError, match="428 scored cells and 4 holes are too many for REML"):
        variance_components(FULL[4:], FACETS)
    assert grid.MOST_FACETS == 8
    assert variance_components(FULL[3:], FACETS).method == "reml"
