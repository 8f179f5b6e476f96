"""Scores in words."""

from itemeval_assets.report.render.scores import difference_words, interval_words, score_words


def test_zero_has_no_sign() -> None:
    assert (score_words(-0.001), difference_words(-0.0001)) == ("0.00", "0.000")
    assert interval_words((-0.004, 0.5)) == "0.00 to 0.50"


def test_a_difference_has_a_digit_more_than_a_score() -> None:
    assert (score_words(0.125), difference_words(0.125)) == ("0.12", "0.125")
    assert difference_words(12345.6) == "1.23e+04"
