"""Texts of sheets: no spreadsheet runs one, and each is known again when it comes back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.ratings.texts import is_same, plain, score_of, shown, without_controls


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "'=1", " =1", "\t=1", "＝1"])
def test_formulas_are_texts(text: str) -> None:
    assert shown(text) == f"'{text}"
    assert plain(shown(text)) == text


@given(st.text())
def test_a_text_comes_back(text: str) -> None:
    assert plain(shown(text)) == text
    assert is_same(shown(without_controls(text)), text)


def test_what_spreadsheets_do_to_texts_is_no_change() -> None:
    assert is_same("a\r\nb", "a\nb")
    assert is_same("a_x000D_\nb ", "a\r\n  b")
    assert is_same("x" * 32_767, "x" * 40_000)
    assert is_same("e\u0301", "\u00e9")


def test_other_words_are_a_change() -> None:
    assert not is_same("The answer is 5", "The answer is 4")
    assert not is_same("x" * 100, "x" * 40_000)
    assert not is_same("", "4")


NUMBERS: dict[Any, float | None] = {
    "7": 7.0,
    "7,5": 7.5,
    " 7.5 ": 7.5,
    ".5": 0.5,
    "-1": -1.0,
    "'-1": -1.0,
    3: 3.0,
    0.25: 0.25,
    "7/10": None,
    "seven": None,
    "1.000,5": None,
    "nan": None,
    float("inf"): None,
    "70%": None,
    "2026-05-01": None,
}


def test_scores_as_people_write_them() -> None:
    assert {given: score_of(given) for given in NUMBERS} == NUMBERS
    assert score_of(True) is None
