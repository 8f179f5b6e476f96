"""Text that a table can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.text import well_formed

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
