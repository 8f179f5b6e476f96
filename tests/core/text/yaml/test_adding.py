"""An entry more in a list of a YAML text: all else stays as its author wrote it."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.text.yaml.adding import NotAdded, plain_word, with_entry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("study: a  # c\nx: [1]\n# end\n", "study: a  # c\nx: [1]\n# end\nwaves:\n  - b\n"),
        ("study: a", "study: a\nwaves:\n  - b\n"),
        ("study: a\nwaves:\n- a # c\n# d\ny: 2\n", "study: a\nwaves:\n- a # c\n- b\n# d\ny: 2\n"),
        ("study: a\r\nwaves:\r\n  - 'a'", "study: a\r\nwaves:\r\n  - 'a'\r\n  - b\r\n"),
        ("waves: [a, 'c']  # d\nx: 1\n", "waves: [a, 'c', b]  # d\nx: 1\n"),
        ("waves: []\nx: 1\n", "waves: [b]\nx: 1\n"),
        ("waves: [\n  a, # c\n]\n", "waves: [\n  a, b, # c\n]\n"),
        (
            "waves:\n  - name: a\n    anchors: 3 # three\n\n  # more\nx: 1\n",
            "waves:\n  - name: a\n    anchors: 3 # three\n  - b\n\n  # more\nx: 1\n",
        ),
        ("---\nstudy: a\n...\n", "---\nstudy: a\nwaves:\n  - b\n...\n"),
        ("  study: a\n", "  study: a\n  waves:\n    - b\n"),
        ("\ufeffstudy: a\n", "\ufeffstudy: a\nwaves:\n  - b\n"),
        ("x: |+\n  text\n\n", "x: |+\n  text\n\nwaves:\n  - b\n"),
    ],
)
def test_only_the_entry_is_new(text: str, expected: str) -> None:
    assert with_entry(text, "waves", "b") == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"study": "a"}',
        "x: &w [a]\nwaves: *w\n",
        "waves: &w [a]\nx: *w\n",
        "x: &w a\nwaves: [*w]\n",
        "q: &q {waves: [a]}\n<<: *q\n",
        "x: |\n  text",
    ],
    ids=["json", "alias", "anchor", "entry", "merge", "open block"],
)
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(NotAdded):
        with_entry(text, "waves", "b")


@given(
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.from_regex(r"[a-z][a-z0-9.-]{0,5}", fullmatch=True), max_size=4, unique=True),
    st.sampled_from(["waves: [{}]", "waves:\n{}", "x: 1"]),
    st.sampled_from(["", "# end", "y: 2  # two", "\n\n"]),
)
def test_the_text_says_what_it_said_and_the_entry(
    newline: str, names: list[str], form: str, rest: str
) -> None:
    quoted = [f'"{name}"' for name in names]
    is_block = form.endswith("\n{}")
    if is_block and not names:
        return
    listed = "\n".join(f"  - {name}  # {name}" for name in quoted)
    text = form.format(listed if is_block else ", ".join(quoted))
    text = "\n".join(["study: a", text, rest]).replace("\n", newline)
    found = with_entry(text, "waves", "{name: b, anchors: 2}")
    before, now = yaml.safe_load(text), yaml.safe_load(found)
    assert now == {**before, "waves": [*before.get("waves", []), {"name": "b", "anchors": 2}]}
    assert "\n" not in found.replace("\r\n", "") or newline == "\n"
    assert all(line in found for line in text.splitlines() if not line.startswith("waves: ["))


@pytest.mark.parametrize(
    ("word", "written"),
    [("2026-12", "2026-12"), ("2026-12-01", '"2026-12-01"'), ("2026", '"2026"'), ("no", '"no"')],
)
def test_a_word_that_yaml_takes_for_another_thing_is_quoted(word: str, written: str) -> None:
    assert plain_word(word) == written
    assert yaml.safe_load(written) == word
