"""Plans: what a design finds, what it costs, and what a gate says."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from itemeval_assets.measurement import (
    Cost,
    MeasurementError,
    PairedVariances,
    best_design,
    cheapest_design,
    compare,
    inferiority,
    items_needed,
    paired_variances,
    plan_frontier,
    precision,
    smallest_difference,
)
from itemeval_assets.measurement.comparisons.inferiority import items_of_no_spread
from tests.measurement.coverage.jobs import Job, jobs, mean_of

OMEGA2, SIGMA2, JUDGE2 = 0.5, 0.49, 0.09
KNOWN = PairedVariances(omega2=0.1, sigma2=0.15, judge2=0.05)


def cost(items: int, replications: int, repeats: int) -> Cost:
    calls = 2 * items * replications
    return Cost(calls * (1 + repeats), calls * (0.01 + 0.002 * repeats))


def scores(items: int, replications: int, repeats: int, seed: int = 1) -> pd.DataFrame:
    """Two models whose components are known."""
    random = np.random.default_rng(seed)
    shape = (2, items, replications, repeats)
    score = (
        random.normal(0, 1, (1, items, 1, 1))
        + random.normal(0, np.sqrt(OMEGA2 / 2), (2, items, 1, 1))
        + random.normal(0, np.sqrt(SIGMA2), (2, items, replications, 1))
        + random.normal(0, np.sqrt(JUDGE2), shape)
    )
    model, item, replication, repeat = np.indices(shape).reshape(4, -1)
    return pd.DataFrame(
        {
            "model": np.array(["a", "b"])[model],
            "item_id": item,
            "passage": item // 4,
            "replication": replication,
            "repeat": repeat,
            "score": score.ravel(),
        }
    )


def test_the_smallest_difference_asks_for_two_items_more() -> None:
    for detect, omega2 in product((0.02, 0.05), (0.1, 0.3)):
        items = items_needed(detect, omega2=omega2)
        more = [
            n for n in range(items, items + 5) if smallest_difference(n, omega2=omega2) < detect
        ]
        assert more[0] in (items + 1, items + 2, items + 3)


def test_components_are_found_again() -> None:
    found = paired_variances(scores(4000, 3, 2), repeat="repeat")
    assert (found.omega2, found.sigma2, found.judge2) == pytest.approx(
        (OMEGA2, SIGMA2, JUDGE2), rel=0.06
    )
    assert (found.replications, found.repeats, found.n_pairs) == (3, 2, 1)


@pytest.mark.parametrize("cluster", [None, "passage"])
def test_a_plan_has_the_error_of_the_data_that_it_is_made_of(cluster: str | None) -> None:
    frame = scores(120, 3, 2)
    found = paired_variances(frame, "a", "b", repeat="repeat", cluster=cluster)
    error = compare(frame, "a", "b", cluster=cluster).standard_error
    assert found.of_item(3, 2) / 120 == pytest.approx(error**2)
    assert found.items_per_cluster == (4 if cluster else 1)


def test_what_is_not_known_is_not_varied() -> None:
    single = paired_variances(scores(60, 1, 1), repeat="repeat")
    assert (single.sigma2, single.judge2) == (None, None)
    assert any("One replication" in words for words in single.warnings)
    designs = plan_frontier(single, cost, items=[50, 100])
    assert {(one.replications, one.repeats) for one in designs} == {(1, 1)}
    judged = paired_variances(scores(60, 1, 3), repeat="repeat")
    assert judged.sigma2 is None and judged.judge2 is not None
    assert {one.replications for one in plan_frontier(judged, cost, items=[50])} == {1}


def test_a_frontier_has_the_designs_that_no_other_beats() -> None:
    numbers = {"items": (20, 50, 100), "replications": (1, 3), "repeats": (1, 2)}
    found = plan_frontier(KNOWN, cost, **numbers)
    every = [
        plan_frontier(KNOWN, cost, items=[n], replications=[k], repeats=[r])[0]
        for n, k, r in product(*numbers.values())
    ]
    best = [
        one
        for one in every
        if not any((o.usd, o.detect) != (one.usd, one.detect) and (o.usd or 0) <= (one.usd or 0)
                   and o.detect <= one.detect for o in every)
    ]  # fmt: skip
    assert found == sorted(best, key=lambda one: one.usd or 0)


def test_as_many_replications_as_the_data_have_are_weighed() -> None:
    known = PairedVariances(omega2=0.1, sigma2=0.15, replications=4)
    stored = cheapest_design(known, lambda n, k, r: Cost(0 if k == 4 else n * k, 0.0), 0.1)
    assert stored.replications == 4


def test_the_cheapest_design_is_the_cheapest() -> None:
    found = cheapest_design(KNOWN, cost, 0.1)
    assert found.detect <= 0.1
    for k, r in product((1, 2, 3, 5, 10), (1, 2, 3, 5, 10)):
        for n in range(2, 700):
            other = plan_frontier(KNOWN, cost, items=[n], replications=[k], repeats=[r])[0]
            if other.detect <= 0.1:
                assert other.usd >= found.usd  # type: ignore[operator]
                break
    assert best_design(KNOWN, cost, found.usd).detect <= 0.1  # type: ignore[arg-type]


def test_power_is_what_was_planned() -> None:
    """5,000 studies, their differences drawn at once; `make coverage` draws whole studies."""
    random, studies, items, k = np.random.default_rng(3), 5_000, 50, 3
    detect = smallest_difference(
        items, omega2=OMEGA2, sigma2_a=SIGMA2, sigma2_b=SIGMA2, k_a=k, k_b=k
    )
    spread = np.sqrt(OMEGA2 + 2 * SIGMA2 / k)
    differences = random.normal(detect, spread, (studies, items))
    called = np.asarray(stats.ttest_1samp(differences, 0, axis=1)[1]) < 0.05
    assert abs(called.mean() - 0.8) <= 2 * np.sqrt(0.8 * 0.2 / studies)


def of_coverage(section: str, row: str, column: str) -> Job:
    return next(
        job
        for job in jobs()
        if job.section.startswith(section) and row in job.row and job.column == column
    )


def share(job: Job, studies: int) -> Iterator[float]:
    random = np.random.default_rng(11)
    found = [job.study(random) for _ in range(studies)]
    for claim in found[0]:
        yield sum(one[claim] for one in found) / studies


def test_planned_power_of_whole_studies() -> None:
    [found] = share(of_coverage("Planned power", "binary, 3 replications", "50 items"), 150)
    assert abs(found - 0.8) <= 4 * np.sqrt(0.8 * 0.2 / 150)


def test_a_gate_errs_as_seldom_as_it_says() -> None:
    for found in share(of_coverage("Gate", "binary, 1 replication", "50 items"), 150):
        assert found <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 150)


def gated(differences: list[float], margin: float, **options: Any) -> Any:
    items = list(range(len(differences)))
    frame = pd.DataFrame(
        {
            "model": ["new"] * len(items) + ["old"] * len(items),
            "item_id": items * 2,
            "score": [0.5 + one for one in differences] + [0.5] * len(items),
        }
    )
    return inferiority(compare(frame, "new", "old", scale=(0, 1)), margin, **options)


def test_the_bounds_of_a_gate_are_one_sided() -> None:
    random = np.random.default_rng(2)
    differences = random.normal(-0.01, 0.05, 80).tolist()
    found = gated(differences, 0.05, n_metrics=3)
    low = stats.ttest_1samp(differences, 0, alternative="greater").confidence_interval(0.95).low
    high = stats.ttest_1samp(differences, 0, alternative="less").confidence_interval(1 - 0.05 / 3)
    assert (found.low, found.high) == pytest.approx((low, high.high))
    assert found.verdict == "PASS"
    assert gated([one - 0.1 for one in differences], 0.05).verdict == "FAIL"
    assert gated(differences[:5], 0.02).verdict == "INCONCLUSIVE"


def test_items_that_all_tie_pass_when_they_are_many() -> None:
    few = gated([0.0] * 40, 0.02, scale=(0, 1))
    assert few.verdict == "INCONCLUSIVE" and few.low < -0.02
    frame_of = [0.0] * 40
    items = pd.DataFrame(
        {"model": ["n"] * 40 + ["o"] * 40, "item_id": [*range(40)] * 2, "score": frame_of * 2}
    )
    needed = items_of_no_spread(compare(items, "n", "o"), 0.02, (0, 1), 0.05)
    assert needed is not None and 145 < needed < 155
    assert gated([0.0] * needed, 0.02, scale=(0, 1)).verdict == "PASS"
    assert gated([0.0] * (needed - 5), 0.02, scale=(0, 1)).verdict == "INCONCLUSIVE"
    assert gated([0.0] * needed, 0.02).low is None


def test_a_look_has_the_interval_of_t_and_of_what_was_not_seen_yet() -> None:
    values = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], 200, p=[0.1, 0.8, 0.1])
    found = precision(mean_of(values), 0.09, scale=(0, 1))
    spread = np.sqrt((values.var(ddof=1) + 4 / 200) / 200)
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 199) * spread)
    assert (found.value - found.low, found.is_reached) == (pytest.approx(found.half_width), True)
    assert found.needed is not None and found.needed <= 200
    later = precision(mean_of(values), 0.03, scale=(0, 1))
    assert not later.is_reached and later.needed is not None and later.needed > 200
    assert not precision(mean_of(values[:20]), 0.9, scale=(0, 1)).is_reached
    assert precision(mean_of(values), 1e-6).needed is None


def test_an_interval_that_was_waited_for_holds_the_truth() -> None:
    job = of_coverage("Precision", "binary, means between 0.94 and 0.98", "half-width 0.05")
    held, items = share(job, 100)
    assert held >= 0.95 - 4 * np.sqrt(0.05 * 0.95 / 100)
    assert 1 < items < 2


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no difference": (lambda: items_needed(0, omega2=1), "give a difference above 0"),
    "power above 1": (lambda: items_needed(1, omega2=1, power=1.2), "above 0 and below 1"),
    "power of chance": (lambda: items_needed(1, omega2=1, power=0.05), "calls one as often"),
    "alpha of 0": (lambda: smallest_difference(9, omega2=1, alpha=0), "alpha is 0"),
    "a variance below 0": (lambda: items_needed(1, omega2=-1), "a variance is 0 or more"),
    "a stated one": (lambda: PairedVariances(omega2=1, judge2=-1), "judge2 is -1"),
    "one item": (lambda: smallest_difference(1, omega2=1), "items is 1"),
    "half a replication": (lambda: items_needed(1, omega2=1, k_a=0), "k_a is 0"),
    "a small pilot": (lambda: paired_variances(scores(9, 2, 1)), "9 items with scores of both"),
    "one name": (lambda: paired_variances(scores(30, 2, 1), "a"), "name both, or none"),
    "rows twice": (
        lambda: paired_variances(scores(30, 2, 2)),
        "120 rows repeat another one in model, item_id, replication",
    ),
    "nothing to vary": (lambda: plan_frontier(KNOWN, cost, items=[]), "items is empty"),
    "out of reach": (
        lambda: cheapest_design(KNOWN, cost, 0.001, most_items=100),
        "no design of up to 100 items finds so small a difference; the smallest",
    ),
    "too little money": (lambda: best_design(KNOWN, cost, 0.01), "the smallest design costs"),
    "no money": (lambda: best_design(KNOWN, cost, 0), "give an amount above 0"),
    "no price": (lambda: best_design(KNOWN, lambda *n: Cost(1), 1), "a price is not known"),
    "no half-width": (lambda: precision(mean_of(np.arange(9.0)), 0), "give one above 0"),
    "a wide half-width": (
        lambda: precision(mean_of(np.arange(9.0)), 1, scale=(0, 1)),
        "any estimate is as narrow",
    ),
    "no margin": (lambda: gated([0.0, 0.1], 0), "give a difference above 0"),
    "a wide margin": (lambda: gated([0.0, 0.1], 2, scale=(0, 1)), "no difference is larger"),
}


def test_what_allows_no_plan_is_refused_in_words() -> None:
    for name, (ask, words) in REFUSED.items():
        with pytest.raises(MeasurementError) as refusal:
            ask()
        assert words in str(refusal.value), name
