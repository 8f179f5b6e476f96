"""Prediction-powered means: by hand, and that they cover where the judge is biased."""

import numpy as np
import pytest
from scipy import stats

from itemeval_assets.measurement import MeasurementError, prediction_powered_mean
from itemeval_assets.measurement.scores.predictions import expected_half_width
from tests.measurement.coverage.worlds import labelled

LABELS, JUDGED, ONLY = [1, 0, 1, 1], [0.9, 0.3, 0.7, 0.6], [0.8, 0.4, 0.6, 0.9, 0.5, 0.7]


def test_by_hand() -> None:
    found = prediction_powered_mean(LABELS, JUDGED, ONLY)
    y, f, more = np.array(LABELS), np.array(JUDGED), np.array(ONLY)
    # cov(Y, f) = sum of (Y - 0.75)(f - 0.625) / 3
    covariance = (0.25 * 0.275 + 0.75 * 0.325 + 0.25 * 0.075 - 0.25 * 0.025) / 3
    assert covariance == pytest.approx(0.1083333)
    weight = covariance / ((1 + 4 / 6) * np.concatenate([f, more]).var(ddof=1))
    assert found.value == pytest.approx(0.75 + weight * (0.65 - 0.625))
    variance = (y - weight * f).var(ddof=1) / 4
    variance += weight**2 * np.concatenate([f, more]).var(ddof=1) / 6
    assert found.standard_error == pytest.approx(variance**0.5)
    # Two degrees of freedom at least, and one label more for the weight.
    of_labels = (y - weight * f).var(ddof=1) / 4 / variance
    squares = (y - weight * f - (y - weight * f).mean()) ** 2
    degrees = 2 * 4 / max((squares**2).mean() / squares.mean() ** 2 - 1, 2) / of_labels**2
    half = stats.t.ppf(0.975, min(max(degrees, 2), 3)) * variance**0.5 * (3 / 2) ** 0.5
    assert found.high - found.value == pytest.approx(half)
    assert found.method == f"PPI++, weight of the judge {weight:.3g}; t"
    assert found.n_items == 10 and "Only 4 labels" in found.warnings[0]


def test_a_judge_that_says_nothing_leaves_the_labels() -> None:
    for judged, only in (([0.5] * 4, [0.5] * 6), (JUDGED, [])):
        found = prediction_powered_mean(LABELS, judged, only)
        assert (found.value, found.standard_error) == pytest.approx((0.75, 0.25))


def test_a_judge_off_by_the_same_everywhere_changes_nothing() -> None:
    random = np.random.default_rng(5)
    people, judge = labelled(random, 400, 0.6, graded=True, kind=False)
    one, other = (
        prediction_powered_mean(people[:60], scores[:60], scores[60:])
        for scores in (judge, 10 * judge + 3)
    )
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    alone = prediction_powered_mean(people[:60], judge[:60], [])
    assert one.high - one.low < 0.7 * (alone.high - alone.low)


def test_labels_without_spread() -> None:
    found = prediction_powered_mean([1] * 20, [0.5] * 20, [0.4] * 30)
    assert (found.value, round(found.low, 3), found.high) == (1.0, 0.839, 1.0)
    assert "Wilson" in found.method
    found = prediction_powered_mean([7] * 20, [0.5] * 20, [0.4] * 30)
    assert found.untold == ("low", "high") and "no spread" in found.warnings[-1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([1, 0], [1], [1]), "labels has 2 values and judged 1"),
        (([1], [1], [1, 0]), "1 label cannot tell how far the judge is off"),
        (([], [], []), "0 labels cannot tell"),
        (([1, None], [1, 0], [1]), "labels must be a list of finite numbers"),
        (([1, 0], ["a", "b"], [1]), "judged must be a list of finite numbers"),
        (([1, 0], [1, 0], [[1, 0]]), "judged_only must be a list of finite numbers"),
    ],
)
def test_bad_input_is_told(given: tuple[list, list, list], message: str) -> None:
    with pytest.raises(MeasurementError, match=message):
        prediction_powered_mean(*given)


def test_what_more_labels_would_bring() -> None:
    random = np.random.default_rng(7)
    people, judge = labelled(random, 1000, 0.6, graded=True, kind=True)
    now = expected_half_width(people[:50], judge[:50], judge[50:], 50, 0.95)
    found = prediction_powered_mean(people[:50], judge[:50], judge[50:])
    assert now == pytest.approx((found.high - found.low) / 2, rel=0.02)
    then = expected_half_width(people[:50], judge[:50], judge[50:], 200, 0.95)
    real = prediction_powered_mean(people[:200], judge[:200], judge[200:])
    assert then == pytest.approx((real.high - real.low) / 2, rel=0.15)
    assert then < 0.6 * now


def test_it_covers_where_the_judge_does_not() -> None:
    """The short form of the coverage table: the long one is `make coverage`."""
    random = np.random.default_rng(11)
    corrected = alone = 0
    for _ in range(400):
        mean = random.uniform(0.2, 0.9)
        people, judge = labelled(random, 500, mean, graded=False, kind=True)
        found = prediction_powered_mean(people[:50], judge[:50], judge[50:])
        corrected += found.low <= mean <= found.high
        error = 1.96 * judge.std(ddof=1) / 500**0.5
        alone += abs(judge.mean() - mean) <= error
    assert 0.92 <= corrected / 400 <= 0.98
    assert alone / 400 < 0.25
