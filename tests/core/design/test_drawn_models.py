"""Models drawn from a roster: the same on every machine, nested, by provider."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.config.roster import Roster, parse_roster, words_on_change
from itemeval_assets.core.config.sections.solvers import SolversConfig
from itemeval_assets.core.design.drawn_models import maker_of, models_of
from itemeval_assets.core.errors import ConfigError

ROSTER = Roster("roster.txt", tuple(f"{who}/m{n}" for who in "abc" for n in range(4)))


def drawn(n: int, roster: Roster = ROSTER, **keys: object) -> list[str]:
    sample = {"roster": "roster.txt", "n": n, **keys}
    return models_of(SolversConfig.model_validate({"sample": sample}), roster)


def test_a_draw_is_the_same_on_every_machine() -> None:
    assert drawn(5, seed=1) == ["a/m1", "b/m1", "a/m2", "a/m3", "a/m0"]
    assert drawn(3, seed=2, by="provider") == ["c/m3", "b/m0", "a/m3"]


@given(st.integers(1, 12), st.integers(0, 9), st.sampled_from([None, "provider"]), st.randoms())
def test_a_larger_sample_keeps_a_smaller_one_in_whatever_order_the_lines_are(
    n: int, seed: int, by: str | None, chance: "object"
) -> None:
    shuffled = list(ROSTER.models)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = drawn(12, seed=seed, by=by)
    assert drawn(n, Roster("x", tuple(shuffled)), seed=seed, by=by) == whole[:n]
    if by:
        counts = Counter(map(maker_of, whole[:n]))
        assert max(counts.values()) - min(counts[one] for one in "abc") <= 1


def test_a_model_that_comes_to_the_roster_moves_no_other_out_of_order() -> None:
    more = Roster("roster.txt", (*ROSTER.models, "d/new"))
    assert [model for model in drawn(13, more) if model != "d/new"] == drawn(12)


def test_what_is_excluded_is_not_drawn() -> None:
    assert set(drawn(11, exclude=["b/m1"])) == {*ROSTER.models} - {"b/m1"}


def test_what_is_included_is_in_anyway_and_counts() -> None:
    always = ["d/new", "a/m2"]
    assert drawn(2, include=always) == always
    assert drawn(5, seed=1, include=always) == [*always, *drawn(11, seed=1, exclude=always)[:3]]
    of_some = drawn(4, include=always, where={"provider": ["b"]})
    assert of_some[:2] == always and {maker_of(model) for model in of_some[2:]} == {"b"}


def test_a_price_is_that_of_the_roster() -> None:
    usd = {model: float(n) for n, model in enumerate(ROSTER.models)}
    where = {"max_output_usd_per_mtok": 3.0}
    priced = replace(ROSTER, output_usd_per_mtok=usd)
    assert set(drawn(4, priced, where=where)) == {*ROSTER.models[:4]}
    both = {**where, "provider": ["b"]}
    assert drawn(2, priced, include=["c/m3", "d/new"], where=both) == ["c/m3", "d/new"]
    with pytest.raises(ConfigError, match=r"has 0 that may be .`where`., and `include` 1 more"):
        drawn(2, priced, include=["d/new"], where=both)
    with pytest.raises(ConfigError, match=r"the roster was locked without prices.*redraw"):
        drawn(1, where=where)
    assert Roster.from_record(json.loads(json.dumps(priced.to_record()))) == priced
    with pytest.raises(ValueError, match="its prices are no numbers"):
        Roster.from_record({**ROSTER.to_record(), "output_usd_per_mtok": {"a/m0": "3"}})


@given(st.integers(0, 9), st.lists(st.sampled_from(ROSTER.models), unique=True, max_size=4))
def test_what_is_included_counts_in_the_share_of_its_provider(seed: int, always: list[str]) -> None:
    whole = drawn(12, seed=seed, by="provider", include=always)
    for n in range(max(1, len(always)), 13):
        found = drawn(n, seed=seed, by="provider", include=always)
        assert found == whole[:n] and found[: len(always)] == always
        counts, pinned = (Counter(map(maker_of, models)) for models in (found, always))
        most = max(counts[one] for one in "abc")
        least = min(counts[one] for one in "abc")
        assert most - least <= 1 or most == max(pinned.values())


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"n": 13}, "solvers.sample.n: 13 models are to be drawn, and roster.txt has 12; give at"),
        ({"n": 12, "exclude": ["a/m0"]}, "has 11 that may be (`exclude`); give at most 11"),
        (
            {"n": 10, "where": {"provider": ["a", "b"]}, "include": ["a/m0", "d/new"]},
            "has 8 that may be (`where`), and `include` 1 more",
        ),
        ({"n": 1, "where": {"provider": ["z"]}}, "where: it leaves no model of roster.txt"),
        ({"n": 1, "exclude": list(ROSTER.models)}, "exclude: it leaves no model of roster.txt"),
    ],
)
def test_what_cannot_be_drawn(keys: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        drawn(**keys)  # type: ignore[arg-type]
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("openai/gpt", "openai"),
        ("openrouter/anthropic/claude", "anthropic"),
        ("openai-api/groq/llama", "groq"),
        ("vllm/meta-llama/Llama", "vllm"),
        ("openrouter/auto", "openrouter"),
    ],
)
def test_who_offers_a_model(model: str, maker: str) -> None:
    assert maker_of(model) == maker


def test_a_roster_is_a_text_with_comments() -> None:
    text = "\ufeff# of March\n\na/x  # dear\n  openrouter/b/y:free\nc/#z\n"
    assert parse_roster(text, "r") == ("a/x", "openrouter/b/y:free", "c/#z")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "r has no model; write <provider>/<model> on each line"),
        ("# none\n", "r has no model"),
        ("a/x\n\na/x\n", "line 3: 'a/x' is on line 1 already; remove one of the two"),
        ("gpt-4\n", "line 1: write a model as <provider>/<model>, without blanks; found 'gpt-4'"),
        ("a/x, b/y\n", "line 1: write a model as <provider>/<model>"),
        ("a/${NAME}\n", "line 1: 'a/${NAME}' names an environment variable"),
        ("a/../b\n", "line 1: 'a/../b' is no model id"),
        (f"a/{'x' * 300}\n", "has 302 bytes; a name may have at most 200"),
    ],
)
def test_what_no_roster_may_hold(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_roster(text, "r")
    assert told in str(caught.value) and str(caught.value).startswith("solvers.sample.roster: r ")


def test_what_changed_in_a_roster_is_named() -> None:
    assert words_on_change("ab", "ba") is None
    assert words_on_change("ab", "bc") == "new: c; gone: a"
    many = words_on_change("a", [*"a", *map(str, range(1_007))])
    assert many == "new: 0, 1, 2, 3, 4 and 1,002 more"
