"""Labels: unique in every design, and no longer than that needs."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config.study_config import StudyConfig
from itemeval_assets.core.design.conditions.conditions import Design
from itemeval_assets.core.design.conditions.expansion import expand_design
from itemeval_assets.core.prompts.templates import make_template
from itemeval_assets.core.text.labels import Part, labels_in, unique_labels

NAMES = st.sampled_from(["standard", "strict", "gpt-5", "default", "a", "b.c"])
TEMPLATES = st.lists(
    NAMES | NAMES.map(lambda name: f"builtin:{name}"), min_size=1, max_size=3, unique=True
)
MODELS = st.sampled_from(
    ["openai/gpt-5", "azure/gpt-5", "router/openai/gpt-5", "router/azure/gpt-5", "x/a", "y/a"]
)
# What may be a key of `graders:`, and look like something else.
ODD = st.sampled_from(
    [
        "gpt-5",
        "a",
        "a ",
        " a",
        "a\tb",
        "a b",
        "x | y",
        "gpt-5 · standard",
        "[red]",
        "a\u200bb",
        "ab",
    ]
)


def design(
    models: Sequence[str],
    prompts: Sequence[str] = ("short",),
    *,
    configs: Sequence[str] = ("default",),
    graders: Sequence[str] = (),
    rubrics: Sequence[str] = ("strict",),
    scorers: Sequence[str] = ("numeric",),
) -> Design:
    document: dict[str, Any] = {
        "study": "toy",
        "benchmark": {"adapter": "hf", "datasets": [{"id": "a/b"}], "mapping": {"input": "q"}},
        "solvers": {"models": list(models)},
        "facets": {
            "prompt": list(prompts),
            "model_config": [{"name": name} for name in configs],
            "grader": list(graders),
            "rubric": list(rubrics),
            "scorer": list(scorers),
        },
        "graders": {name: {"model": "openai/gpt-5"} for name in graders if "/" not in name},
    }
    texts = {name: make_template(name, name, "{input} {solution}") for name in (*prompts, *rubrics)}
    return expand_design(StudyConfig.model_validate(document), texts, texts)


def labels(found: Design) -> list[str]:
    return [condition.label for condition in (*found.generate, *found.grade)]


@given(
    st.lists(MODELS, min_size=1, max_size=4, unique=True),
    TEMPLATES,
    st.lists(NAMES, min_size=1, max_size=3, unique=True),
    st.lists(ODD | MODELS, max_size=4, unique=True),
    TEMPLATES,
    st.lists(
        st.sampled_from(["numeric", "exact_match", "multiple_choice"]), min_size=1, unique=True
    ),
)
def test_labels_of_any_design_are_unique(
    models: list[str],
    prompts: list[str],
    configs: list[str],
    graders: list[str],
    rubrics: list[str],
    scorers: list[str],
) -> None:
    found = design(
        models, prompts, configs=configs, graders=graders, rubrics=rubrics, scorers=scorers
    )
    shown = labels(found)
    assert len(set(shown)) == len(shown)
    assert all(label.isprintable() and label.strip() for label in shown)
    pairs = [(one.id, other.id) for one in found.generate for other in found.grade]
    joined = [found.label_of(pair) for pair in pairs]
    assert len({*joined, *shown}) == len(joined) + len(shown)
    for pair, label in zip(pairs, joined, strict=True):
        assert tuple(labels_in(label, pair)) == found.labels_of(pair)
    # One that is alike to no other is as short as can be.
    short = [_shortest(condition) for condition in (*found.generate, *found.grade)]
    for label, least in zip(shown, short, strict=True):
        assert label == least or short.count(least) > 1 or shown.count(least) == 0


def _shortest(condition: Any) -> str:
    texts = [" ".join(part.short.split()) for part in condition.label_parts if part.short]
    return "".join(sign for sign in " · ".join(texts) if sign.isprintable())


def test_labels_without_a_clash_are_short() -> None:
    found = design(
        ["openai/gpt-5", "router/meta/llama"],
        ["builtin:standard", "own"],
        configs=["default", "hot"],
        graders=["judge", "azure/o3"],
        rubrics=["builtin:standard"],
    )
    assert labels(found) == [
        "gpt-5 · standard",
        "gpt-5 · standard · hot",
        "gpt-5 · own",
        "gpt-5 · own · hot",
        "llama · standard",
        "llama · standard · hot",
        "llama · own",
        "llama · own · hot",
        "numeric",
        "judge · standard",
        "o3 · standard",
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"models": ["openai/gpt-5", "azure/gpt-5", "x/a"]},
            ["openai/gpt-5 · short", "azure/gpt-5 · short", "a · short", "numeric"],
        ),
        (
            {"models": ["x/a"], "prompts": ["builtin:s", "s", "t"]},
            ["a · builtin:s", "a · s", "a · t", "numeric"],
        ),
        (
            {"models": ["x/a"], "graders": ["j"], "rubrics": ["builtin:s", "s"]},
            ["a · short", "numeric", "j · builtin:s", "j · s"],
        ),
        # A model beside a grader that bears its name.
        (
            {"models": ["x/a"], "prompts": ["s"], "graders": ["a"], "rubrics": ["s"]},
            ["x/a · s", "numeric", "a · s"],
        ),
        (
            {"models": ["x/a"], "graders": ["openai/gpt-5", "azure/gpt-5", "y/j"]},
            ["a · short", "numeric", "openai/gpt-5 · strict", "azure/gpt-5 · strict", "j · strict"],
        ),
        # A model that judges itself.
        (
            {"models": ["x/a"], "prompts": ["s"], "graders": ["x/a"], "rubrics": ["s"]},
            ["a · s · default", "numeric", "a · s"],
        ),
        (
            {"models": ["x/a", "y/a"], "prompts": ["s"], "graders": ["x/a"], "rubrics": ["s"]},
            ["x/a · s · default", "y/a · s", "numeric", "x/a · s"],
        ),
    ],
)
def test_labels_that_are_alike_grow_by_what_tells_them_apart(
    given: dict[str, Any], expected: list[str]
) -> None:
    assert labels(design(**given)) == expected


def test_where_no_part_tells_labels_apart_the_digest_does() -> None:
    parts = [[Part("a", "a")], [Part("a ", "a ")], [Part("b", "b")]]
    assert unique_labels(parts, ["0123456789ab", "f123456789ab", "0"]) == [
        "a (012345)",
        "a (f12345)",
        "b",
    ]
    # Digests may start alike, and somebody may have chosen such a name.
    odd = [*parts[:2], [Part("a (012345)", "a (012345)")]]
    found = unique_labels(odd, ["0123456789ab", "0123456789ac", "ff"])
    assert len(set(found)) == 3
