"""A template is rebuilt from what models were shown, or not at all."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.imports.templates import Shown, rebuilt
from itemeval_assets.core.prompts.templates import render

NAMES = ("input", "solution", "target", "grading_scheme", "id")
NOTICE = '\n\n---\nAnswer with {"score": <number>}\n'


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def shown(template: str, *items: dict[str, str], notice: str = "") -> list[Shown]:
    full = [dict.fromkeys(NAMES, "") | item for item in items]
    return [Shown(render(template, item) + notice, item) for item in full]


ONE = {"id": "q1", "input": "What is 1 + 1?", "solution": "It is 2.", "target": "2"}
TWO = {"id": "q2", "input": "What is 2 + 2?", "solution": "It is 5.", "target": "4"}


@pytest.mark.parametrize(
    "template",
    [
        "{input}",
        "Solve {id}:\n\n{input}\n",
        "{input}{solution}",
        "Q: {input}\nScheme: {grading_scheme}\nTarget: {target}\nA: {solution}\nGrade it.\n",
        "{solution}\n{input}\n{input}\n",
        'Braces {like} these, and {"this": 1}, stay: {input}',
    ],
)
@pytest.mark.parametrize("notice", ["", NOTICE])
@pytest.mark.parametrize("items", [(ONE,), (ONE, TWO)])
def test_it_comes_back(template: str, notice: str, items: tuple[dict[str, str], ...]) -> None:
    seen = shown(template, *items, notice=notice)
    assert rebuilt(seen, digest(template), has_notice=bool(notice)) == template


def test_one_of_another_hash_is_none() -> None:
    seen = shown("{input}", ONE, TWO)
    assert rebuilt(seen, digest("{input}!")) is None


@given(
    st.lists(
        st.sampled_from([*(f"{{{name}}}" for name in NAMES[:3]), "a", " 2", "\n"]), max_size=7
    ),
    st.lists(st.text("ab 2\n", min_size=1, max_size=5), min_size=6, max_size=6),
)
def test_what_is_found_is_right(parts: list[str], values: list[str]) -> None:
    """Whatever the values: what comes back has the hash, and so is the template."""
    template = "".join(["{input}", *parts])
    one, two = values[:3], values[3:]
    items = [{str(n): v for n, v in zip(NAMES, own, strict=False)} for own in (one, two)]
    found = rebuilt(shown(template, *items), digest(template))
    assert found in (None, template)
