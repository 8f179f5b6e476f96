"""Sizes in whole columns are those of the texts that are sent."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.cells.pending import Grid
from itemeval_assets.core.money.projection.estimate import estimate_tokens, most_tokens
from itemeval_assets.core.money.projection.sizes import (
    shown_at_most,
    shown_likely,
    sizes_of,
    text_sizes,
)
from itemeval_assets.core.prompts.long_solutions import cut_mark, not_shown, shown

TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=9), max_size=5)


@given(TEXTS, st.none() | st.integers(1, 9))
def test_a_cut_solution_has_the_size_of_what_is_shown(
    texts: list[str | None], most: int | None
) -> None:
    items = [f"q{number}" for number in range(len(texts))]
    solutions = pa.table(
        {
            "item_id": pa.array(items, pa.string()),
            "epoch": pa.array([1] * len(texts), pa.int32()),
            "solution": pa.array(texts, pa.string()),
        }
    )
    found = text_sizes(Grid(items, 1), solutions, most)
    sent = [shown(text, most) or "" for text in texts]
    assert found.sizes.tolist() == sizes_of(sent).tolist()
    assert found.has_text.tolist() == [text is not None for text in texts]


def test_what_is_shown_of_a_long_solution() -> None:
    assert shown("abc", None) == shown("abc", 3) == "abc"
    assert shown("abcd", 3) == "abc" + cut_mark(3)
    assert shown(None, 3) is None
    found = [
        not_shown(text, most) for text, most in (("abcd", 3), ("abc", 3), (None, 3), ("a", None))
    ]
    assert found == [1, None, None, None]


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(1, 50))
def test_a_solution_to_come_is_never_counted_for_less_than_what_is_shown(
    text: str, most: int
) -> None:
    sent = shown(text, most) or ""
    assert most_tokens(sent) <= shown_at_most(most_tokens(text + cut_mark(most)), most)
    assert estimate_tokens(sent) <= shown_likely(estimate_tokens(text + cut_mark(most)), most)
