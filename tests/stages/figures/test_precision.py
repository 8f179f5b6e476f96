"""What is said of a look at the precision of a study."""

from dataclasses import replace

import pytest

from itemeval_assets.core.records.precision import PrecisionLook, words_of_look
from itemeval_assets.stages.figures.precise.looking import next_tranche

LOOK = PrecisionLook(30, 0.02, half_width=0.0512, of="b less a", graded_by="numeric", needed=150)


@pytest.mark.parametrize(
    ("look", "says"),
    [
        (LOOK, "not reached yet: 30 of 100 items are bought; the widest interval is ±0.0512"),
        (
            LOOK,
            "(target 0.02): b less a by numeric. It needs about 150 items, for about $4.00 more.",
        ),
        (replace(LOOK, needed=None), "by numeric."),
        (replace(LOOK, detect=0.0286), "(target 0.02, which detects 0.0286): b less a by"),
        (replace(LOOK, is_reached=True), "Precision reached: 30 of 100 items are bought"),
        (replace(LOOK, n_items=100), "the sample is used up: 100 of 100 items are bought"),
        (replace(LOOK, n_items=100), "It needs about 150 items: raise benchmark.sample.n."),
        (PrecisionLook(30, 0.02, problem="No cell has a score."), "known: No cell has a score."),
    ],
)
def test_words(look: PrecisionLook, says: str) -> None:
    assert says in words_of_look(look, 100, 1.0, 200)


def test_more_items_are_advised_only_where_the_data_have_them() -> None:
    look = replace(LOOK, n_items=100)
    for of in (100, 149):
        said = words_of_look(look, 100, 1.0, of)
        assert said.endswith(f"It needs about 150 items, and the data have {of}.")


@pytest.mark.parametrize(
    ("look", "most", "items"),
    [
        (LOOK, 1000, 60),
        (replace(LOOK, needed=50), 1000, 50),
        (replace(LOOK, needed=31), 1000, 33),
        (replace(LOOK, needed=None), 1000, 60),
        (LOOK, 40, 40),
        (LOOK, 30, None),
        (replace(LOOK, is_reached=True), 1000, None),
        (replace(LOOK, problem="none"), 1000, None),
        (PrecisionLook(30, 0.02, problem="one cluster", is_early=True), 1000, 60),
    ],
)
def test_the_next_tranche_is_what_is_needed_at_most_twice_as_many(
    look: PrecisionLook, most: int, items: int | None
) -> None:
    assert next_tranche(look, most) == items
