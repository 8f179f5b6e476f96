"""Samples of items: nested, in proportion, and the same wherever they are drawn."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config.sections import SampleConfig
from itemeval_assets.core.design.items.sampling import Sample, drawn
from itemeval_assets.core.errors import DatasetError

Row = dict[str, Any]
TOPICS = st.lists(st.sampled_from("aaaabbc"), min_size=1, max_size=60)
SEEDS = st.integers(0, 2**40)


def items_of(topics: list[Any]) -> list[Row]:
    return [
        {
            "item_id": f"q{nr}",
            "dataset_id": "items.jsonl" if nr % 3 else "more.jsonl",
            "metadata_json": json.dumps({"topic": topic}),
        }
        for nr, topic in enumerate(topics)
    ]


def ids(items: list[Row], n: int, seed: int = 0, by: str | None = None) -> list[str]:
    return [items[place]["item_id"] for place in drawn(items, SampleConfig(n=n, seed=seed, by=by))]


def test_a_sample_is_the_same_on_every_machine() -> None:
    items = items_of(list("aaaaaaabbc"))
    assert ids(items, 4, 7) == ["q6", "q1", "q8", "q7"]
    assert ids(items, 4, 8) == ["q8", "q2", "q7", "q1"]
    assert ids(items, 10, 7, "topic") == ids(items, 10, 7, "topic")


@given(TOPICS, SEEDS, st.sampled_from([None, "topic", "dataset_id"]))
def test_a_larger_sample_keeps_the_smaller(topics: list[str], seed: int, by: str | None) -> None:
    items = items_of(topics)
    whole = ids(items, len(items), seed, by)
    assert sorted(whole) == sorted(item["item_id"] for item in items)
    for n in range(1, len(items)):
        assert ids(items, n, seed, by) == whole[:n]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=150), SEEDS)
def test_each_stratum_has_its_share_within_one_item(topics: list[int], seed: int) -> None:
    items, shares = items_of(topics), Counter(topics)
    topic = dict(zip((item["item_id"] for item in items), topics, strict=True))
    found: Counter[int] = Counter()
    for n, id in enumerate(ids(items, len(items), seed, "topic"), 1):
        found[topic[id]] += 1
        for value, share in shares.items():
            # Whole numbers: n * share / items, rounded down or up.
            low, rest = divmod(n * share, len(items))
            assert low <= found[value] <= low + bool(rest)


@given(TOPICS, SEEDS, st.randoms(use_true_random=False), st.sampled_from([None, "topic"]))
def test_the_order_of_the_rows_does_not_count(
    topics: list[str], seed: int, random: Any, by: str | None
) -> None:
    items = items_of(topics)
    n = (len(items) + 1) // 2
    before = ids(items, n, seed, by)
    random.shuffle(items)
    assert ids(items, n, seed, by) == before


def test_without_strata_further_items_take_none_away_but_by_their_own_place() -> None:
    items = items_of(list("a" * 40))
    before = ids(items[:30], 10, 3)
    now = ids(items, 10, 3)
    assert [id for id in now if int(id[1:]) < 30] == before[: sum(int(i[1:]) < 30 for i in now)]


def test_items_without_a_value_are_a_stratum() -> None:
    items = items_of(["a", None, None, None])
    items[0]["metadata_json"] = "{}"
    items[3]["metadata_json"] = json.dumps({"topic": "b"})
    assert len(ids(items, 4, 1, "topic")) == 4


@pytest.mark.parametrize(
    ("n", "by", "said"),
    [
        (5, None, "benchmark.sample.n: 5 items are to be drawn, and the data have 4; give at most"),
        (2, "tpoic", "benchmark.sample.by: 'tpoic' is no column of the items; did you mean 'topi"),
        (2, "x", "there are: topic, dataset_id"),
    ],
)
def test_what_cannot_be_drawn(n: int, by: str | None, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        ids(items_of(list("abcd")), n, 0, by)


def test_words() -> None:
    assert Sample(50, 7, "topic", 1319).words == "sample of 50 of 1,319 items, seed 7, by topic"
    assert Sample(1, 0, None, 1).words == "sample of 1 of 1 item, seed 0"
