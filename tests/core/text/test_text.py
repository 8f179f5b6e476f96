"""Text that a table can hold, and amounts that people read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.text.words import dollars, well_formed

SURROGATES = st.characters(categories=["Cs"])


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_storable_text_is_left_alone(text: str) -> None:
    assert well_formed(text) == text


@given(st.text(st.characters() | SURROGATES))
def test_any_text_becomes_storable_and_only_once(text: str) -> None:
    stored = well_formed(text)
    assert stored.encode().decode() == stored and "\x00" not in stored
    assert well_formed(stored) == stored


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ud83d\ude00!", "😀!"),
        ("a\x00b", "a\ufffdb"),
        ("\ud800😀", "\ufffd😀"),
    ],
)
def test_pairs_are_joined_and_lone_surrogates_and_nuls_replaced(text: str, stored: str) -> None:
    assert well_formed(text) == stored


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (None, "no price"),
        (0.0, "$0"),
        (1234.5, "$1,234.50"),
        (10.0, "$10.00"),
        (0.1 + 0.2, "$0.30"),
        (0.0101, "$0.0101"),
        (10.00001, "$10.0000"),
        (0.0001, "$0.0001"),
        (0.000049, "$0.000049"),
        (1e-6, "$0.0000010"),
        (-2e-6, "$-0.0000020"),
        (math.inf, "$inf"),
    ],
)
def test_no_amount_looks_like_nothing(usd: float | None, shown: str) -> None:
    assert dollars(usd) == shown
