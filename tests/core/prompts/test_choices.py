"""Choices: how they are read, laid out and shuffled, and which is right; what is refused."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.prompts.choices import (
    Choices,
    TargetIs,
    choices_of,
    in_columns,
    laid_out,
    letter_of,
    place_of,
    shuffled,
    texts_of,
)

ARC = {"text": ["red", "blue"], "label": ["1", "2"]}


@pytest.mark.parametrize(
    ("value", "texts", "labels"),
    [
        (["3", "4"], ["3", "4"], None),
        ([3, 4.5, True, " x "], ["3", "4.5", "true", "x"], None),
        ('["3", "4"]', ["3", "4"], None),
        (["a", "b", None, ""], ["a", "b"], None),
        (["a", "b", float("nan")], ["a", "b"], None),
        (["same", "same"], ["same", "same"], None),
        (["{id} {input}", "A) x\nB) y"], ["{id} {input}", "A) x\nB) y"], None),
        (ARC, ["red", "blue"], ["1", "2"]),
        ('{"text": ["red", "blue"], "label": [1, 2]}', ["red", "blue"], ["1", "2"]),
    ],
)
def test_what_a_column_may_hold(value: Any, texts: list[str], labels: list[str] | None) -> None:
    assert choices_of(value) == Choices(texts, labels)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "expected a list of choices; found 'None'"),
        (7, "expected a list of choices; found '7'"),
        ("a, b", "expected a JSON list, or name several columns; found 'a, b'"),
        ("['a', 'b']", "this is a list as Python writes it: write JSON"),
        ('"a"', "expected a list of choices; found '\"a\"'"),
        ([], "there are 0 choices; there must be 2 to 26"),
        (["a"], "there are 1 choices; there must be 2 to 26"),
        (["a"] * 27, "there are 27 choices; there must be 2 to 26"),
        (["a", None, "c"], "choice 2 of 3 is empty"),
        ([["a"], "b"], "a choice or target must be a text or a number; found "),
        ({"a": "x", "b": "y"}, "an object of choices has the lists `text` and `label`"),
        ({"text": ["a", "b"], "label": ["1"]}, "`text` and `label` of the choices differ"),
    ],
)
def test_what_is_no_list_of_choices_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        choices_of(value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("target", "kind", "place"),
    [
        ("B", "letter", 1),
        (" b ", "letter", 1),
        (0, "index", 0),
        ("02", "index", 2),
        (1.0, "index", 1),
        (1, "number", 0),
        ("3.0", "number", 2),
        ("blue", "text", 1),
        (" 7 ", "text", 2),
        (7, "text", 2),
    ],
)
def test_the_right_choice(target: Any, kind: TargetIs, place: int) -> None:
    assert place_of(target, in_columns(["red", "blue", 7]), kind) == place


def test_the_label_of_the_dataset_names_the_right_choice() -> None:
    assert place_of(2, choices_of(ARC), "label") == 1


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ("D", "letter", "the target 'D' is no letter of a choice; there are A, B, C"),
        ("A or B", "letter", "the target 'A or B' is no letter"),
        ("1", "letter", "the target '1' is no letter"),
        ("", "letter", "the target '' is no letter"),
        (None, "index", "the target '' is no index"),
        (3, "index", "the target '3' is no index of a choice; there are 0, 1, 2"),
        (-1, "index", "the target '-1' is no index"),
        (0, "number", "the target '0' is no number of a choice; there are 1, 2, 3"),
        (1.5, "number", "the target '1.5' is no number"),
        (True, "index", "the target 'true' is no index"),
        ("Red", "text", "the target 'Red' is no text of a choice; there are red, blue, red"),
        ("red", "text", "the target 'red' is several of the choices"),
        (["A"], "letter", "a choice or target must be a text or a number"),
        ("A", "label", "`target_is: label` needs choices with the lists `text` and `label`"),
    ],
)
def test_an_unclear_target_is_refused(target: Any, kind: TargetIs, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        place_of(target, in_columns(["red", "blue", "red"]), kind)
    assert message in str(caught.value)


def test_choices_are_laid_out_line_by_line() -> None:
    assert laid_out(["3", "{id}", "a\nb"]) == "A) 3\nB) {id}\nC) a\nb"
    assert laid_out(["x"] * 26).endswith("\nZ) x")


@given(st.integers(2, 26), st.integers(0, 99), st.text(), st.text())
def test_a_shuffle_loses_no_choice_and_is_the_same_again(
    count: int, seed: int, dataset: str, item: str
) -> None:
    order = shuffled(count, seed, dataset, item)
    assert sorted(order) == list(range(count))
    assert shuffled(count, seed, dataset, item) == order


def test_orders_are_those_of_any_machine_and_version() -> None:
    found = [shuffled(4, 1, "d", f"q{n}") for n in range(3)]
    assert found == [[1, 3, 2, 0], [1, 0, 3, 2], [1, 0, 3, 2]]


def test_the_right_choice_comes_to_each_place_as_often() -> None:
    """Of 4,000 items each place holds the first choice 1,000 times, within 5 standard errors."""
    found = Counter(shuffled(4, 7, "d", str(n)).index(0) for n in range(4000))
    assert all(abs(count - 1000) < 5 * 27.4 for count in found.values())
    other = [shuffled(4, 8, "d", str(n)) == shuffled(4, 7, "d", str(n)) for n in range(4000)]
    assert abs(sum(other) - 4000 / 24) < 5 * 12.7


def test_letters() -> None:
    assert [letter_of(place) for place in (0, 25)] == ["A", "Z"]


@given(st.lists(st.text(alphabet="aB) \n"), min_size=1, max_size=26))
def test_choices_are_read_back_as_they_were_laid_out(texts: list[str]) -> None:
    found = texts_of(laid_out(texts))
    assert found == texts or any("\n" in text for text in texts)


@pytest.mark.parametrize("texts", [["x\nB) y", "z"], ["x", "y\nB) z"], ["x\nC) y", "z"]])
def test_choices_that_nobody_can_tell_apart(texts: list[str]) -> None:
    assert texts_of(laid_out(texts)) is None


def test_a_text_without_letters_is_no_list_of_choices() -> None:
    assert texts_of("red, blue") is None
