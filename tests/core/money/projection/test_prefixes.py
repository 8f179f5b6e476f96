"""Shared heads of prompts: which calls share one, and which of them goes first."""

from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.money.projection.prefixes import (
    SHORTEST_HEAD_TOKENS,
    leaders_first,
    shared_prefixes,
)

LONG = "x" * (4 * SHORTEST_HEAD_TOKENS)
HEADS = st.dictionaries(
    st.integers(0, 20),
    st.tuples(
        st.sampled_from(["a/b", "c/d"]), st.sampled_from(["", "short", LONG, LONG + "\ud800"])
    ),
)


def test_calls_of_one_model_with_one_long_head_share_a_prefix() -> None:
    found = shared_prefixes({1: ("a/b", LONG), 2: ("a/b", LONG), 3: ("a/b", LONG + "y")})
    assert set(found) == {1, 2} and found[1] == found[2]


def test_a_head_that_no_provider_caches_is_not_grouped() -> None:
    short = LONG[4:]
    assert shared_prefixes({1: ("a/b", short), 2: ("a/b", short)}) == {}


def test_other_models_and_single_calls_share_nothing() -> None:
    assert shared_prefixes({1: ("a/b", LONG), 2: ("c/d", LONG)}) == {}
    assert shared_prefixes({1: ("a/b", LONG)}) == shared_prefixes({}) == {}


def test_the_key_does_not_depend_on_the_other_calls() -> None:
    heads = {1: ("a/b", LONG), 2: ("a/b", LONG)}
    more = {**heads, 3: ("a/b", LONG), 4: ("c/d", LONG), 5: ("c/d", LONG)}
    assert shared_prefixes(heads).items() < shared_prefixes(more).items()
    assert len(set(shared_prefixes(more).values())) == 2


@given(HEADS)
def test_places_have_one_key_if_they_share_model_and_head(
    heads: dict[int, tuple[str, str]],
) -> None:
    found = shared_prefixes(heads)
    for place, head in heads.items():
        same = {other for other in heads if heads[other] == head}
        is_shared = len(same) > 1 and head[1].startswith(LONG)
        assert {other for other in found if found.get(place) == found[other]} == (
            same if is_shared else set()
        )


def test_leaders_go_first() -> None:
    prefixes = {1: "p", 2: "p", 3: "q", 5: "q"}
    assert leaders_first([1, 2, 3, 4, 5], prefixes) == [1, 3, 4, 2, 5]
    assert leaders_first([2, 1], {}) == [2, 1]


@given(
    st.lists(st.integers(0, 20), unique=True),
    st.dictionaries(st.integers(0, 20), st.sampled_from("pqr")),
)
def test_no_follower_goes_before_any_leader_and_the_order_is_kept_otherwise(
    places: list[int], prefixes: dict[int, str]
) -> None:
    ordered = leaders_first(places, prefixes)
    assert sorted(ordered) == sorted(places)
    first = {prefixes[place]: place for place in reversed(places) if place in prefixes}
    follows = [place in prefixes and first[prefixes[place]] != place for place in ordered]
    assert follows == sorted(follows)
    leading = follows.count(False)
    for part in (ordered[:leading], ordered[leading:]):
        assert part == [place for place in places if place in part]
