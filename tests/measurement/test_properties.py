"""What must hold for any scores."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.measurement import (
    MeasurementError,
    cohen_kappa,
    compare,
    compare_all,
    intraclass_correlation,
    item_statistics,
    krippendorff_alpha,
    mean_score,
    variance_components,
)
from tests.measurement.frames import crossed

GRADED = st.floats(0, 10, allow_nan=False).map(lambda value: round(value, 2))


@st.composite
def frames(draw: st.DrawFn, scores: Any = GRADED, models: int = 2) -> pd.DataFrame:
    items = draw(st.integers(3, 8))
    replications = draw(st.integers(1, 3))
    size = models * items * replications
    values = draw(st.lists(scores, min_size=size, max_size=size))
    table = np.array(values, dtype=float).reshape(models, items, replications)
    frame = crossed(table, "model", "item_id", "replication")
    frame["model"] = ["abcdef"[int(place)] for place in frame["model"]]
    frame["passage"] = frame["item_id"] // 2
    return frame


def same(one: Any, other: Any) -> None:
    """All figures to the error of adding up in another order; all words exactly."""
    for name, value in dataclasses.asdict(one).items():
        there = dataclasses.asdict(other)[name]
        if isinstance(value, float):
            assert there == pytest.approx(value, abs=1e-9, rel=1e-9), name
        else:
            assert there == value, name


@given(frames(), st.randoms(use_true_random=False))
def test_row_order_and_kind_of_frame_do_not_matter(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    shuffled = frame.iloc[order].reset_index(drop=True)
    for other in (shuffled, pa.table(frame.to_dict("list"))):
        for cluster in (None, "passage"):
            same(mean_score(frame, cluster=cluster), mean_score(other, cluster=cluster))
            same(
                compare(frame, "a", "b", cluster=cluster), compare(other, "a", "b", cluster=cluster)
            )


@given(frames())
def test_a_less_b_is_minus_b_less_a(frame):
    one, other = compare(frame, "a", "b"), compare(frame, "b", "a")
    assert one.value == pytest.approx(-other.value)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert (one.p, one.n_ties) == pytest.approx((other.p, other.n_ties))


@given(frames(), st.floats(-5, 5))
def test_a_shift_of_all_scores_shifts_means_and_no_difference(frame, shift):
    moved = frame.assign(score=frame["score"] + shift)
    means = [mean_score(each) for each in (frame, moved)]
    if all(mean.method.startswith("t") for mean in means):
        assert means[1].value == pytest.approx(means[0].value + shift)
        assert means[1].low == pytest.approx(means[0].low + shift)
    pairs = [compare(each, "a", "b") for each in (frame, moved)]
    assert pairs[1].value == pytest.approx(pairs[0].value, abs=1e-9)


@given(frames(st.sampled_from([0, 1])))
def test_bounds_hold_the_value_and_widen_with_what_is_missing(frame):
    before = mean_score(frame[frame["model"] == "a"], scale=(0, 1))
    assert before.bounds is None
    wider = [mean_score(frame, scale=(0, 1), missing=missing).bounds for missing in (1, 5)]
    value = mean_score(frame).value
    for bounds in wider:
        assert bounds is not None
        assert 0 <= bounds.low <= value <= bounds.high <= 1
    narrow, wide = (bounds for bounds in wider if bounds is not None)
    assert wide.low <= narrow.low and narrow.high <= wide.high


@given(frames(st.sampled_from([0.0, 0.5, 1.0]), models=4))
def test_holm_raises_p_and_keeps_its_order(frame):
    found = compare_all(frame)
    assert all(one.p_unadjusted <= one.p <= 1 for one in found)
    by_p = sorted(found, key=lambda one: one.p_unadjusted)
    assert [one.p for one in by_p] == sorted(one.p for one in found)


@given(frames(st.sampled_from([0.0, 0.5, 1.0]), models=5))
def test_two_share_a_letter_if_and_only_if_they_cannot_be_told_apart(frame):
    found = compare_all(frame, level=0.6)
    assert set(found.letters) == set("abcde")
    for one in found:
        shared = set(found.letters[one.a]) & set(found.letters[one.b])
        assert bool(shared) == (one.p >= 0.4)


@given(frames(GRADED, models=3), st.floats(0.1, 10))
def test_components_scale_with_the_square_of_scores(frame, factor):
    one = variance_components(frame, ["model", "item_id"])
    other = variance_components(frame.assign(score=frame["score"] * factor), ["model", "item_id"])
    for column in ("estimate", "high"):
        expected = one.table[column].to_numpy(float) * factor**2
        assert other.table[column].to_numpy(float) == pytest.approx(expected, abs=1e-8, rel=1e-6)


@given(st.lists(st.lists(st.integers(1, 4), min_size=6, max_size=6), min_size=3, max_size=3))
def test_agreement_does_not_depend_on_who_is_first(ratings):
    table = np.array(ratings, dtype=float)
    if len(np.unique(table)) > 1:
        same(krippendorff_alpha(table), krippendorff_alpha(table[::-1, ::-1]))
    if len(np.unique(table[:2])) > 1:
        one, other = cohen_kappa(table[0], table[1]), cohen_kappa(table[1], table[0])
        assert one.value == pytest.approx(other.value)
    coefficients = [_icc_or_none(each.T) for each in (table, table[::-1])]
    assert coefficients[0] == pytest.approx(coefficients[1])


def _icc_or_none(ratings):
    try:
        return intraclass_correlation(ratings).value
    except MeasurementError:
        return None


# A double has four binary digits and more behind the point there.
OFFSET = [1e6, 1e9, 1e12, -1e12]


@pytest.mark.parametrize("offset", OFFSET)
@pytest.mark.parametrize("planted", [[0, 0.25, 0.5, 0.75], [0, 0, 0, 0.25], [0.25] * 4])
def test_differences_are_those_of_the_data_however_far_from_0_these_lie(
    offset: float, planted: list[float]
) -> None:
    items = np.array([*planted, *planted, 1.0, 2.0, 4.0])
    scores = np.stack([items, items[::-1], items + 0.5])[:, :, None] + np.array([0.0, 0.25])
    near = crossed(scores, "model", "item_id", "replication")
    far = near.assign(score=near["score"] + offset)
    for one, other in zip(compare_all(near), compare_all(far), strict=True):
        assert (one.a, one.b, one.n_ties, one.method) == (
            other.a,
            other.b,
            other.n_ties,
            other.method,
        )
        figures = [(found.value, found.standard_error, found.p) for found in (one, other)]
        assert figures[0] == pytest.approx(figures[1], abs=1e-3)
    for model in range(3):
        one, other = (mean_score(frame[frame["model"] == model]) for frame in (near, far))
        assert (one.method, other.value - offset) == (
            other.method,
            pytest.approx(one.value, abs=1e-3),
        )
        assert other.standard_error == pytest.approx(one.standard_error, abs=1e-3)
    left, right = (item_statistics(frame.astype({"model": str})) for frame in (near, far))
    assert left["ties"].tolist() == right["ties"].tolist()
    assert left["item_total"].tolist() == pytest.approx(right["item_total"].tolist(), abs=1e-3)


@pytest.mark.parametrize("offset", [0, *OFFSET])
def test_the_same_scores_in_another_order_have_one_mean(offset: float) -> None:
    scores = np.round(np.random.default_rng(1).random(500), 3)
    frame = crossed(offset + np.stack([scores, scores[::-1]])[:, None, :], "model", "item_id", "r")
    frame = pd.concat([frame, frame.assign(item_id=1)])
    found = compare(frame, 0, 1)
    assert (found.n_ties, found.p) == (2, 1)
