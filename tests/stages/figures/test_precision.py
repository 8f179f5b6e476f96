"""What is said of a look at the precision of a study."""

from dataclasses import replace
from pathlib import Path

import pytest

from itemeval_assets.api import load_study
from itemeval_assets.core.design.precise import digest_of_look
from itemeval_assets.core.records.precision import PrecisionLook, words_of_look
from itemeval_assets.stages.figures.precise.looking import next_tranche
from tests.studies import merged, write_study

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


def test_one_item_is_one() -> None:
    assert "1 of 1 item is bought" in words_of_look(replace(LOOK, n_items=1), 1, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [("is_reached", "yes"), ("n_items", "3"), ("target", None), ("of", 5), ("needed", 1.5)],
)
def test_an_edited_look_is_none(key: str, value: object) -> None:
    assert PrecisionLook.of_record(LOOK.record) == LOOK
    with pytest.raises((TypeError, ValueError)):
        PrecisionLook.of_record({**LOOK.record, key: value})


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        ({"precision": {"half_width": 0.3}}, True),
        ({"precision": {"half_width": None, "detect": 0.2}}, True),
        ({"solvers": {"models": ["mockllm/alpha", "mockllm/c"]}}, True),
        ({"facets": {"replications": 2}}, True),
        ({"benchmark": {"sample": {"seed": 2}}}, True),
        ({"measurement": {"level": 0.9}}, True),
        ({"benchmark": {"sample": {"n": 20}}}, False),
        ({"precision": {"metrics": ["numeric"]}}, False),
        ({"budget": {"max_usd": 5.0}}, False),
        ({"waves": [{"name": "w1"}]}, False),
    ],
)
def test_a_look_is_of_one_target_and_one_design(
    tmp_path: Path, change: dict, is_other: bool
) -> None:
    document = {"benchmark": {"sample": {"n": 10, "seed": 1}}, "precision": {"half_width": 0.2}}
    models = ("mockllm/a", "mockllm/b")
    one, other = (
        load_study(write_study(tmp_path, models=models, graders=(), items=20, extra=extra))
        for extra in (document, merged(document, change))
    )
    digests = [digest_of_look(study.config, study.design) for study in (one, other)]
    assert (digests[0] != digests[1]) == is_other


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
