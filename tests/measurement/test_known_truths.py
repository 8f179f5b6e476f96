"""Published figures, each to the digits that its source gives."""

import pytest

from itemeval_assets.measurement import (
    cohen_kappa,
    decision_study,
    fleiss_kappa,
    intraclass_correlation,
    irt,
    items_needed,
    krippendorff_alpha,
    mcnemar,
    mean_score,
    variance_components,
    wilson_interval,
)
from tests.measurement.frames import BRENNAN, KRIPPENDORFF, LSAT6, SHROUT_FLEISS, scored, table


def digits(figure: float, number: int = 4) -> float:
    return round(figure, number)


def test_brennan_table_2_2():
    found = variance_components(BRENNAN, ["person", "item"])
    table = found.table.set_index("source")
    assert found.method == "ems"
    assert list(table.index) == ["person", "item", "person:item"]
    assert list(table["df"]) == [9, 11, 99]
    assert [digits(value) for value in table["mean_square"]] == [0.8157, 0.8811, 0.1269]
    assert [digits(value) for value in table["variance"]] == [0.0574, 0.0754, 0.1269]


@pytest.mark.parametrize(
    ("items", "generalizability", "dependability"),
    [(12, 0.8445, 0.7730), (20, 0.9005, 0.8502), (5, 0.6935, 0.5866)],
)
def test_brennan_decision_studies(items, generalizability, dependability):
    found = decision_study(variance_components(BRENNAN, ["person", "item"]), {"item": items})
    assert found.generalizability is not None and found.dependability is not None
    assert digits(found.generalizability) == generalizability
    assert digits(found.dependability) == dependability


@pytest.mark.parametrize(
    ("form", "value", "low", "high"),
    [
        ("1,1", 0.1657, -0.13, 0.72),
        ("2,1", 0.2898, 0.02, 0.76),
        ("3,1", 0.7148, 0.34, 0.95),
        ("1,4", 0.4428, -0.88, 0.91),
        ("2,4", 0.6201, 0.07, 0.93),
        ("2,k", 0.6201, 0.07, 0.93),
        ("3,k", 0.9093, 0.68, 0.99),
    ],
)
def test_shrout_and_fleiss(form, value, low, high):
    """The limits are those that R's psych prints for these data, for model 2 near them."""
    found = intraclass_correlation(SHROUT_FLEISS, form=form)
    assert digits(found.value) == value
    off = 0.04 if form.startswith("2") else 0.005
    assert [found.low, found.high] == pytest.approx([low, high], abs=off)


@pytest.mark.parametrize(
    ("level", "value"),
    [("nominal", 0.7434), ("ordinal", 0.8154), ("interval", 0.8491), ("ratio", 0.7974)],
)
def test_krippendorffs_own_data(level, value):
    found = krippendorff_alpha(KRIPPENDORFF, level=level)
    assert digits(found.value) == value
    assert found.low < found.value < found.high
    assert found.warnings == ("1 unit with fewer than two ratings: left out.",)


def test_fleiss_kappa():
    rows = (
        "0 0 0 0 14/0 2 6 4 2/0 0 3 5 6/0 3 9 2 0/2 2 8 1 1/7 7 0 0 0/3 2 6 3 0/2 5 3 2 2"
        "/6 5 2 1 0/0 2 2 3 7"
    )
    counts = [[int(word) for word in row.split()] for row in rows.split("/")]
    assert digits(fleiss_kappa(counts).value) == 0.2099


def test_clusters_of_three():
    frame = scored([1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1], passage=[p for p in "abcd" for _ in "123"])
    assert digits(mean_score(frame).standard_error, 5) == 0.14865
    assert digits(mean_score(frame, cluster="passage").standard_error, 5) == 0.08333


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(successes, n, low, high):
    found = wilson_interval(successes, n)
    assert (digits(found.low), digits(found.high)) == (low, high)
    events = mean_score(scored([1.0] * successes + [0.0] * (n - successes)))
    assert (events.method, events.low, events.high) == ("Wilson", found.low, found.high)


def test_mcnemar():
    table = [[101, 121], [59, 33]]
    assert digits(mcnemar(table).chi2) == 21.3556
    assert digits(mcnemar(table, corrected=True).chi2) == 20.6722


def test_cohens_kappa():
    a = ["yes"] * 25 + ["no"] * 25
    b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert digits(cohen_kappa(a, b).value) == 0.4


def test_one_parameter_on_lsat6():
    found = irt(LSAT6, model="1pl")
    assert [digits(value, 3) for value in found.items["easiness"]] == [
        2.730,
        0.999,
        0.240,
        1.306,
        2.099,
    ]
    assert digits(found.ability_variance, 3) == 0.570
    assert digits(found.log_likelihood, 3) == -2466.938
    assert (found.items["easiness"] == -found.items["difficulty"]).all()


def test_two_parameters_on_lsat6():
    found = irt(LSAT6, model="2pl")
    assert digits(found.log_likelihood, 3) == -2466.653
    assert (found.items[["difficulty_se", "discrimination_se"]] > 0).all(axis=None)


@pytest.mark.parametrize("method", ["ems", "reml"])
def test_dyestuff(method):
    dyestuff = table("dyestuff")
    found = variance_components(dyestuff, ["Batch"], score="Yield", method=method)
    assert digits(found.variance("Batch"), 2) == 1764.05
    assert digits(found.variance("residual"), 2) == 2451.25


def test_penicillin_and_pastes():
    """Crossed and nested, as lme4's authors report them (Bates et al. 2015), by REML."""
    penicillin = table("penicillin")
    found = variance_components(penicillin, ["plate", "sample"], score="diameter", method="reml")
    assert [digits(value, 5) for value in found.table["variance"]] == [0.71691, 3.73092, 0.30242]
    pastes = table("pastes")
    found = variance_components(
        pastes, ["batch", "cask"], score="strength", nested={"cask": "batch"}, method="reml"
    )
    assert list(found.table["source"]) == ["batch", "batch:cask", "residual"]
    assert [digits(value, 4) for value in found.table["variance"]] == [1.6573, 8.4337, 0.6780]


@pytest.mark.parametrize(
    ("variances", "items"),
    [
        ({}, 969),
        ({"sigma2_a": 1 / 6, "sigma2_b": 1 / 6}, 3876),
        ({"sigma2_a": 1 / 6, "sigma2_b": 1 / 6, "k_a": 10, "k_b": 10}, 1260),
    ],
)
def test_items_of_miller(variances, items):
    """Miller 2024, section 5: 3 points at 80 % power."""
    assert items_needed(0.03, omega2=1 / 9, **variances) == items
