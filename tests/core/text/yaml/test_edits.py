"""Lines are added to a YAML: what stands in it stays, letter by letter."""

import re

import pytest
import yaml

from itemeval_assets.core.text.yaml.edits import EditError, with_entry, with_item

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
        new = with_item("facets:\n  grader: [j]\n", ("facets", "grader"), name)
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
    with pytest.raises(EditError, match=r"facets\.grader: the YAML cannot be edited by itself"):
        with_item(text, ("facets", "grader"), "anna")
