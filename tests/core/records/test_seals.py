"""What a seal holds, and what deviates from it."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.records.published.seals import Deviation, SealState, deviations, seal_of

WHEN = "2026-11-27T10:00:00Z"
PLAN = {"facets": {"replications": 1, "prompt": ["short"]}, "data": [{"id": "a", "n_items": 3}]}

plans = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner)
    ),
    max_leaves=8,
)


def test_each_place_that_differs_is_named_as_in_the_yaml() -> None:
    now: dict[str, Any] = {
        "facets": {"replications": 3, "prompt": ["short", "long"], "scorer": "numeric"},
        "data": [{"id": "a", "n_items": 4}],
    }
    assert deviations(PLAN, now) == [
        Deviation("facets.replications", "1", "3"),
        Deviation("facets.prompt", '["short"]', '["short","long"]'),
        Deviation("data[0].n_items", "3", "4"),
        Deviation("facets.scorer", "nothing", '"numeric"'),
    ]
    assert Deviation("facets.scorer", '"numeric"', "nothing") in deviations(now, PLAN)


@given(st.dictionaries(st.text(min_size=1, max_size=5), plans))
def test_a_plan_does_not_deviate_from_itself(plan: dict[str, Any]) -> None:
    assert deviations(plan, plan) == []


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.integers(), min_size=1))
def test_a_changed_value_is_a_deviation(plan: dict[str, int]) -> None:
    name = next(iter(plan))
    [found] = deviations(plan, {**plan, name: plan[name] + 1})
    assert (found.sealed, found.now) == (str(plan[name]), str(plan[name] + 1))


def test_what_is_edited_afterwards_is_no_seal() -> None:
    seal = seal_of(PLAN, WHEN, 0, 0.0)
    assert seal.is_intact and seal == seal_of(PLAN, WHEN, 0, 0.0)
    for edited in (
        replace(seal, calls=1),
        replace(seal, sealed_at="2026-01-01T00:00:00Z"),
        replace(seal, plan={**PLAN, "facets": {}}),
    ):
        assert not edited.is_intact
        words = SealState("toy", [edited], [], "seals.json", "study.yaml").words
        assert "IT WAS EDITED SINCE" in words[0]


def test_a_second_seal_stands_beside_the_first_and_says_what_it_changes() -> None:
    first = seal_of(PLAN, WHEN, 0, 0.0)
    second = seal_of({**PLAN, "facets": {"replications": 2, "prompt": ["short"]}}, WHEN, 96, 1.5)
    words = SealState("toy", [first, second], [], "seals.json", "study.yaml").words
    assert words[0] == f"Sealed {WHEN}, before the first call, sha256 {first.sha256}."
    assert "after 96 calls ($1.50)" in words[1]
    assert words[1].endswith("It changes the seal before: facets.replications was 1, is 2.")
    assert words[2] == "No deviation from the seal."
