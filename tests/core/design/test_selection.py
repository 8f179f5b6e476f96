"""Words that select conditions: what each means, and that none is ignored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.selection import select_generate, select_grade
from itemeval_assets.core.errors import ConfigError

from .test_labels import design

DESIGN = design(
    ["openai/gpt-5", "azure/gpt-5", "openai/gpt-5-mini"],
    ["builtin:standard", "own"],
    graders=["judge", "strict judge", "openai/gpt-5"],
    rubrics=["builtin:lax", "lax", "hard"],
    scorers=["numeric", "exact_match"],
)
GENERATE = {condition.id: condition for condition in DESIGN.generate}
GRADE = {condition.id: condition for condition in DESIGN.grade}


def shown(ids: list[str]) -> list[str]:
    return [DESIGN.labels[id] for id in ids]


def test_without_a_word_all_are_meant() -> None:
    assert select_generate(DESIGN) == list(GENERATE)
    assert select_grade(DESIGN) == list(GRADE)


@pytest.mark.parametrize("kind", ["label", "slug", "id"])
def test_conditions_go_by_label_slug_and_id(kind: str) -> None:
    for found in GENERATE.values():
        word = getattr(found, kind)
        alike = [one.id for one in GENERATE.values() if getattr(one, kind) == word]
        assert select_generate(DESIGN, [word]) == alike
        assert select_generate(DESIGN, word) == alike
    for found in GRADE.values():
        word = getattr(found, kind)
        alike = [one.id for one in GRADE.values() if getattr(one, kind) == word]
        assert select_grade(DESIGN, [word]) == alike
        if found.grader.template:
            assert select_grade(DESIGN, rubrics=[word]) == alike


def test_models_graders_scorers_and_rubrics_go_by_name() -> None:
    assert shown(select_generate(DESIGN, ["openai/gpt-5"])) == [
        "openai/gpt-5 · standard",
        "openai/gpt-5 · own",
    ]
    assert shown(select_grade(DESIGN, ["numeric", "judge"])) == [
        "numeric",
        "judge · builtin:lax",
        "judge · lax",
        "judge · hard",
    ]
    assert shown(select_grade(DESIGN, ["openai/gpt-5"], ["lax", "hard"])) == [
        "gpt-5 · lax",
        "gpt-5 · hard",
    ]
    # A model that judges goes by the last part of its id, too, as in its label.
    assert select_grade(DESIGN, ["gpt-5"]) == select_grade(DESIGN, ["openai/gpt-5"])
    only = design(["x/a"], graders=["j"], rubrics=["builtin:lax"])
    assert len(select_grade(only, rubrics=["lax"])) == 1  # as its label says


def test_the_start_of_ids_means_all_that_start_so_and_a_whole_word_goes_before() -> None:
    both = design(["x/gpt-5", "x/gpt-5-mini"], ["own", "own-2"])
    assert len(select_generate(both, ["gpt-5"])) == 4
    assert len(select_generate(both, ["gpt-5_"])) == 2
    assert len(select_generate(both, ["gpt-5_own"])) == 2
    names = [DESIGN.labels[id] for id in select_grade(DESIGN, ["judge"])]
    assert all(name.startswith("judge · ") for name in names)
    slugs = design(["x/a"], ["b", "b-c"], configs=["d", "d-e"])
    (found,) = select_generate(slugs, ["a_b_d"])
    assert found.startswith("a_b_d--")


@pytest.mark.parametrize("word", ["", " ", "nope", "GPT-5", "[red]", "gpt-5 | judge"])
def test_a_word_that_selects_nothing_is_an_error_that_names_it_and_what_there_is(word: str) -> None:
    first = next(iter(GENERATE))
    with pytest.raises(ConfigError) as refused:
        select_generate(DESIGN, [first, word])
    assert repr(word) in str(refused.value)
    assert "openai/gpt-5 · standard" in str(refused.value) and first in str(refused.value)
    with pytest.raises(ConfigError, match="numeric, exact_match, judge, strict judge"):
        select_grade(DESIGN, ["judge", word])
    with pytest.raises(ConfigError, match=r"there is no rubric .* builtin:lax, lax, hard"):
        select_grade(DESIGN, rubrics=["lax", word])


def test_no_word_is_mistaken_for_an_empty_name() -> None:
    with pytest.raises(ConfigError) as raised:
        select_generate(DESIGN, "")
    assert "did you mean" not in str(raised.value)


def test_a_misspelt_word_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="did you mean 'numeric'"):
        select_grade(DESIGN, ["numerc"])


def test_words_that_exclude_each_other_are_an_error() -> None:
    with pytest.raises(ConfigError, match="grader 'numeric' and rubric 'lax' have no condition"):
        select_grade(DESIGN, ["judge", "numeric"], ["lax"])
    alone = next(c for c in GRADE.values() if c.label == "judge · hard")
    with pytest.raises(ConfigError, match=r"rubric 'lax' and grader .* have no condition"):
        select_grade(DESIGN, [alone.label], ["hard", "lax"])


def test_an_empty_list_does_not_mean_all() -> None:
    with pytest.raises(ConfigError, match="conditions: an empty list selects nothing"):
        select_generate(DESIGN, [])


@given(st.lists(st.sampled_from([*GENERATE, *(c.slug for c in GENERATE.values()), "gpt-5", "o"])))
def test_every_word_selects_something_or_all_are_refused(words: list[str]) -> None:
    alone = []
    for word in words:
        try:
            alone.append(select_generate(DESIGN, [word]))
        except ConfigError:
            alone.append([])
    if words and all(alone):
        every = {id for ids in alone for id in ids}
        assert select_generate(DESIGN, words) == [id for id in GENERATE if id in every]
    else:
        with pytest.raises(ConfigError):
            select_generate(DESIGN, words)
