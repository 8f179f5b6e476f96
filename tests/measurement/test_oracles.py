"""The same figures from scipy and statsmodels, on data without a published answer."""

# Neither declares its types.
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false, reportCallIssue=false
# pyright: reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false

from fractions import Fraction
from itertools import combinations
from math import comb

# statsmodels is loaded where it is asked: not by each worker of a session.
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from itemeval_assets.measurement import (
    compare,
    compare_all,
    fleiss_kappa,
    interaction,
    item_statistics,
    length_slope,
    majority_at_k,
    mcnemar,
    mean_score,
    pass_at_k,
    variance_components,
    wilson_interval,
)
from tests.measurement.frames import crossed, random_scores, scored

CLOSE = 1e-6


def near(figure: object) -> object:
    return pytest.approx(figure, abs=CLOSE, rel=CLOSE)


@pytest.mark.parametrize("binary", [True, False])
def test_a_clustered_mean_is_a_clustered_regression_on_nothing(binary):
    import statsmodels.api as sm

    frame = random_scores(1, 40, 3, binary=binary).drop(index=[3, 10, 50])
    items = frame.groupby(["item_id", "passage"], as_index=False)["score"].mean()
    groups = pd.factorize(items["passage"])[0]
    fit = sm.OLS(items["score"], np.ones(len(items))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    found = mean_score(frame, cluster="passage")
    assert found.value == near(fit.params.iloc[0])
    assert found.standard_error == near(fit.bse.iloc[0])
    assert [found.low, found.high] == near(list(fit.conf_int().iloc[0]))


def test_a_paired_difference_is_a_paired_t_test():
    frame = random_scores(2, 60, 2)
    means = frame.pivot_table(index="item_id", columns="model", values="score")
    test = stats.ttest_rel(means["lab/m0"], means["lab/m1"])
    found = compare(frame, "lab/m0", "lab/m1")
    limits = test.confidence_interval(0.95)
    assert found.p == near(test.pvalue)
    assert [found.low, found.high] == near([limits.low, limits.high])


def test_a_clustered_difference_is_a_clustered_regression_of_differences():
    import statsmodels.api as sm

    frame = random_scores(2, 60, 2)
    means = frame.pivot_table(index=["item_id", "passage"], columns="model", values="score")
    differences = means["lab/m0"] - means["lab/m1"]
    groups = pd.factorize(means.reset_index()["passage"])[0]
    fit = sm.OLS(differences.to_numpy(), np.ones(len(means))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    found = compare(frame, "lab/m0", "lab/m1", cluster="passage")
    assert [found.value, found.standard_error, found.p] == near(
        [fit.params[0], fit.bse[0], fit.pvalues[0]]
    )


def test_holm():
    from statsmodels.stats import multitest

    found = compare_all(random_scores(6, 50, 2))
    adjusted = multitest.multipletests([one.p_unadjusted for one in found], method="holm")[1]
    assert len(found) == 15
    assert [one.p for one in found] == near(list(adjusted))
    for one in found:
        assert one.p_unadjusted == near(compare(random_scores(6, 50, 2), one.a, one.b).p)


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (3, 7), (7, 7), (500, 1001)])
@pytest.mark.parametrize("level", [0.8, 0.99])
def test_wilson(successes, n, level):
    from statsmodels.stats import proportion

    limits = proportion.proportion_confint(successes, n, 1 - level, method="wilson")
    assert wilson_interval(successes, n, level) == near(limits)


@pytest.mark.parametrize("table", [[[5, 9], [2, 4]], [[50, 3], [3, 20]], [[0, 12], [0, 0]]])
def test_mcnemar(table):
    from statsmodels.stats import contingency_tables

    found = mcnemar(table)
    exact = contingency_tables.mcnemar(table, exact=True)
    rough = contingency_tables.mcnemar(table, exact=False, correction=False)
    assert found == near((rough.statistic, rough.pvalue, exact.pvalue))


def test_mcnemar_of_a_comparison():
    from statsmodels.stats import contingency_tables

    frame = random_scores(2, 80, 1)
    right = frame.pivot(index="item_id", columns="model", values="score") == 1
    a, b = right["lab/m0"], right["lab/m1"]
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    exact = contingency_tables.mcnemar(table, exact=True)
    assert compare(frame, "lab/m0", "lab/m1").p_mcnemar == near(exact.pvalue)
    assert compare(random_scores(2, 80, 2), "lab/m0", "lab/m1").p_mcnemar is None


def test_fleiss_kappa():
    from statsmodels.stats import inter_rater

    counts = np.random.default_rng(1).multinomial(5, [0.2, 0.3, 0.5], size=30)
    assert fleiss_kappa(counts).value == near(inter_rater.fleiss_kappa(counts))


def test_mean_squares_of_a_crossed_design():
    import statsmodels.api as sm
    from statsmodels.formula.api import ols

    scores = np.random.default_rng(2).normal(size=(4, 6, 3, 2))
    frame = crossed(scores, "model", "item", "prompt", "row")
    found = variance_components(frame, ["model", "item", "prompt"])
    fit = ols("score ~ C(model) * C(item) * C(prompt)", frame).fit()
    expected = sm.stats.anova_lm(fit)
    names = [name.replace("C(", "").replace(")", "") for name in expected.index]
    oracle = dict(zip(names, expected["mean_sq"], strict=True))
    oracle["residual"] = oracle.pop("Residual")
    squares = dict(zip(found.table["source"], found.table["mean_square"], strict=True))
    assert squares == near(oracle)


def test_reml_of_an_unbalanced_one_way_layout():
    from statsmodels.formula.api import mixedlm

    random = np.random.default_rng(3)
    batch = np.repeat(np.arange(12), random.integers(2, 7, 12))
    frame = pd.DataFrame({"batch": batch, "score": random.normal(size=12)[batch]})
    frame["score"] += random.normal(0, 0.7, len(frame))
    fit = mixedlm("score ~ 1", frame, groups="batch").fit(reml=True, method="bfgs", gtol=1e-9)
    found = variance_components(frame, ["batch"], method="reml")
    assert found.variance("residual") == near(fit.scale)
    assert found.variance("batch") == near(float(fit.cov_re.iloc[0, 0]))


def test_reml_of_a_crossed_layout_with_holes_and_a_fixed_facet():
    """Where we stop, the likelihood of statsmodels has no slope. Its own climb often fails here."""
    from statsmodels.formula.api import mixedlm
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    random = np.random.default_rng(4)
    scores = random.normal(0, 0.4, (6, 10, 2))
    for shape, deviation in (
        ((6, 1, 1), 1),
        ((1, 10, 1), 0.7),
        ((6, 10, 1), 0.5),
        ((6, 1, 2), 0.5),
        ((1, 10, 2), 0.6),
    ):
        scores += random.normal(0, deviation, shape)
    frame = crossed(scores, "model", "item", "prompt").drop(index=range(0, 120, 11))
    found = variance_components(frame, ["model", "item", "prompt"], fixed=["prompt"])
    names = ["model", "item", "model:item", "model:prompt", "item:prompt"]
    oracle = mixedlm(
        "score ~ C(prompt)",
        frame,
        groups=np.ones(len(frame)),
        vc_formula={
            f"{place} {name}": "0 + " + ":".join(f"C({facet})" for facet in name.split(":"))
            for place, name in enumerate(names)
        },
        re_formula="0",
    )
    oracle.cov_pen = oracle.fe_pen = None  # as its `fit` sets them
    residual = found.variance("model", "item", "prompt")
    ours = np.array([found.variance(*name.split(":")) for name in names])
    assert (ours > 0).all()

    def likelihood(components):
        params = MixedLMParams.from_components(
            fe_params=np.zeros(2), cov_re=np.zeros((0, 0)), vcomp=components / residual
        )
        return oracle.loglike(params, profile_fe=True)

    for place in range(len(names)):
        step = np.zeros(len(names))
        step[place] = 0.01 * ours[place]
        slope = (likelihood(ours + step) - likelihood(ours - step)) / 0.02
        bend = likelihood(ours + step) + likelihood(ours - step) - 2 * likelihood(ours)
        assert bend < 0
        assert slope == pytest.approx(0, abs=1e-3)


def test_interaction_is_welchs_test_of_the_differences():
    from statsmodels.stats import oneway

    frame = random_scores(2, 90, 1, binary=False)
    frame["topic"] = ["abc"[int(name[1:]) % 3] for name in frame["item_id"]]
    found = interaction(frame, "lab/m0", "lab/m1", by="topic")
    means = frame.pivot(index=["item_id", "topic"], columns="model", values="score").reset_index()
    means["apart"] = means["lab/m0"] - means["lab/m1"]
    groups = [part["apart"].to_numpy() for _, part in means.groupby("topic")]
    oracle = oneway.anova_oneway(groups, use_var="unequal", welch_correction=True)
    assert [found.f, *found.df, found.p] == near(
        [oracle.statistic, oracle.df_num, oracle.df_denom, oracle.pvalue]
    )


def test_slope_on_length_is_a_clustered_regression_within_items():
    import statsmodels.api as sm

    frame = random_scores(4, 30, 2, binary=False)
    random = np.random.default_rng(5)
    frame["solution"] = ["x" * n for n in random.integers(10, 900, len(frame))]
    frame["grade_condition_id"] = "judge"
    size = frame["solution"].str.len() / 1000
    x = size - size.groupby(frame["item_id"]).transform("mean")
    y = frame["score"] - frame["score"].groupby(frame["item_id"]).transform("mean")
    groups = pd.factorize(frame["item_id"])[0]
    fit = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    found = length_slope(frame)["judge"]
    assert found.value == near(fit.params.iloc[0])
    assert [found.low, found.high] == near(list(fit.conf_int().iloc[0]))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_rates_are_means_over_all_choices_of_replications(k):
    frame = random_scores(1, 25, 4)
    drawn = [list(combinations(item["score"], k)) for _, item in frame.groupby("item_id")]
    passed = np.mean([[max(choice) for choice in item] for item in drawn])
    share = np.array([[sum(choice) / k for choice in item] for item in drawn])
    voted = np.where(share == 0.5, 0.5, share > 0.5).mean()
    assert pass_at_k(frame, k).value == near(passed)
    assert majority_at_k(frame, k).value == near(voted)


@pytest.mark.parametrize("k", [1, 3, 550, 1099])
def test_a_majority_of_very_many_replications_keeps_its_items(k):
    frame = pd.concat(
        scored([1.0] * passed + [0.0] * (1100 - passed)).assign(item_id=f"q{passed}")
        for passed in (0, 300, 1100)
    )
    ways = [comb(300, right) * comb(800, k - right) for right in range(k + 1)]
    won = sum(2 * ways[right] for right in range(k + 1) if 2 * right > k)
    drawn = ways[k // 2] if k % 2 == 0 else 0
    voted = float(Fraction(won + drawn, 2 * comb(1100, k)))
    found = majority_at_k(frame, k)
    assert (found.n_items, found.value) == (3, near((0 + voted + 1) / 3))


def test_item_total_is_pearsons_correlation():
    frame = random_scores(12, 10, 2)
    means = frame.pivot_table(index="model", columns="item_id", values="score")
    table = item_statistics(frame).set_index("item_id")
    for name in means:
        rest = means.drop(columns=name).mean(axis=1)
        if means[name].nunique() > 1:
            oracle = stats.pearsonr(means[name], rest)
            assert table.loc[name, "item_total"] == near(oracle.statistic)
            assert table.loc[name, "item_total_p"] == near(oracle.pvalue)


@pytest.mark.parametrize(
    ("only_a", "only_b"),
    [(1, 5), (0, 3), (10**5, 10**5 + 300), (10**10, 10**10 + 50000), (2**52, 2**52 + 10**8)],
)
def test_the_exact_p_is_a_number_for_any_counts(only_a, only_b):
    n = only_a + only_b
    found = mcnemar([[1, only_a], [only_b, 1]]).exact_p
    if n < 10**7:
        assert found == near(stats.binomtest(only_a, n).pvalue)
    else:
        assert found == near(2 * stats.norm.cdf((2 * only_a + 1 - n) / np.sqrt(n)))
