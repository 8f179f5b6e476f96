"""Lines are added to a YAML: what stands in it stays, letter by letter."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.text.yaml.edits import EditError, plain_word, with_entry, with_item

ANNA = "{kind: human, scale: [0, 10]}"
VALUE = {"kind": "human", "scale": [0, 10]}
# Where the entry and the item go, in each shape that people write.
SHAPES = [
    "a: 1\n",
    "graders: {}\nfacets: {grader: []}\n",
    """\
graders:   # who grades
  judge: {model: m/j}  # ours

# the design
facets:
  grader: [judge]  # all
  scorer: x
""",
    """\
graders:
    judge:
        model: m/j
        note: |
            two
            lines
facets:
  grader:
  - judge # one
  # no more
last: true""",
    "facets:\n  grader:\n    - judge\ngraders:\n",
    "graders: {judge: {model: m/j},}\nfacets: {grader: [judge,], scorer: x}\n",
    "graders:\r\n  judge: {model: m/j}\r\nfacets:\r\n  grader: [judge]\r\n",
    "\ufefffacets:\n  scorer: x\n",
    "facets:\n  grader:\n  scorer: x\n",
]


@pytest.mark.parametrize("text", SHAPES)
def test_a_rater_is_added(text: str) -> None:
    new = with_item(with_entry(text, ("graders",), "anna", ANNA), ("facets", "grader"), "anna")
    before, found = (yaml.safe_load(one.removeprefix("\ufeff")) for one in (text, new))
    assert found["graders"]["anna"] == VALUE
    assert found["facets"]["grader"][-1] == "anna"
    del found["graders"]["anna"]
    found["facets"]["grader"].pop()
    assert found["graders"] == (before.get("graders") or {})
    assert found["facets"]["grader"] == ((before.get("facets") or {}).get("grader") or [])
    assert all(comment in new for comment in re.findall("#.*", text))
    assert new.count("\r\n") == (new.count("\n") if "\r\n" in text else 0)
    assert new.startswith("\ufeff") == text.startswith("\ufeff")


def test_a_name_that_means_something_else_is_quoted() -> None:
    for name in ("no", "1e5", "Anna Müller", "a: b", "#x"):
        new = with_item("facets:\n  grader: [j]\n", ("facets", "grader"), plain_word(name))
        assert yaml.safe_load(new)["facets"]["grader"] == ["j", name]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [j]\nfacets: {grader: *x}\n",
        "facets:\n  grader: judge\n",
        "facets: [a]\n",
        "base: &b {grader: [j]}\nfacets:\n  <<: *b\n",
    ],
)
def test_what_cannot_be_edited_is_told(text: str) -> None:
    with pytest.raises(EditError, match=r"facets\.grader: this file is written in a way"):
        with_item(text, ("facets", "grader"), "anna")


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
    assert with_item(text, ("waves",), "b") == expected


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
    with pytest.raises(EditError):
        with_item(text, ("waves",), "b")


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
    found = with_item(text, ("waves",), "{name: b, anchors: 2}")
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
