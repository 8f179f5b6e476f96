"""Error texts in few words: counted, shortened, without secrets."""

from itemeval_assets.core.records.failures import ErrorCount, in_words, most_frequent
from itemeval_assets.core.text.secrets import beginning, without_secrets


def test_texts_that_differ_in_what_passes_are_one() -> None:
    errors = [f"Error code: 400 - bad request req_{number}a7f" for number in range(5)]
    errors += ["Connection error."] * 2 + ["timed out"] * 3 + ["rare"]
    assert most_frequent(errors, {}) == [
        ErrorCount("Error code: 400 - bad request req_0a7f", 5),
        ErrorCount("timed out", 3),
        ErrorCount("Connection error.", 2),
    ]


def test_long_texts_are_cut_and_secrets_left_out() -> None:
    environment = {"SOME_API_KEY": "abcdefgh-of-mine"}
    (found,) = most_frequent([f"key abcdefgh-of-mine\nis wrong {'x ' * 500}"], environment)
    assert found.error.startswith("key (redacted) is wrong x x")
    assert len(found.error) == 200 and found.error.endswith("…")
    assert "\n" not in found.error


def test_no_error_is_none() -> None:
    assert most_frequent([], {}) == []


def test_words_count_what_is_not_shown() -> None:
    shown = [ErrorCount("timed out", 3), ErrorCount("refused", 1)]
    assert in_words(5, shown).splitlines() == [
        "5 cells errored; run again to repeat only those:",
        "  3 x timed out",
        "  1 x refused",
        "  1 x other errors",
    ]
    assert in_words(1, shown[1:]).splitlines() == [
        "1 cell errored; run again to repeat only those:",
        "  1 x refused",
    ]


def test_the_beginning_of_a_text_holds_no_half_secret() -> None:
    environment = {"SOME_API_KEY": "abcdefgh-of-mine"}
    for length in range(0, 450):
        found = beginning(f"{'x' * length} abcdefgh-of-mine and more", 100, environment)
        assert "abcdef" not in found and len(found) <= 104
    assert beginning("short", 100, environment) == "short"
    assert beginning("x" * 101, 100, environment) == "x" * 100 + " ..."


def test_looking_for_secrets_takes_a_time_that_is_linear_in_the_text() -> None:
    text = "-eyJaaaaaaaaaa" * 30_000  # minutes, where each start is followed to the end
    assert without_secrets(text, {}) == text
