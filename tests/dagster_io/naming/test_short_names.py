"""Short names: what is cut first, what stays, and that a column of the grid shows them whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.dagster_io.naming.keys import COLUMN_PX
from itemeval_assets.dagster_io.naming.short_names import short_name, width_px

ROOM_PX = COLUMN_PX - width_px("-4444")


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["alpha", "standard"], "alpha_standard"),
        (["multiple_choice"], "multiple-choice"),
        (["strict_judge", "strict"], "strict-judge_stric"),
        (["gpt-5-mini", "minimal"], "gpt-5-mini_minim"),
        (["gpt-5-mini", "minimal", "cool"], "gpt-5-mini_m_co"),
        (["gpt-5-mini", "step_by_step"], "gpt-5-mini_stbyst"),
        (["claude-haiku-4-5", "minimal"], "cla-haiku-4-5_mi"),
        (["claude-haiku-4-5", "standard", "cool"], "c-haiku-4-5_s_co"),
        (["claude-sonnet-4-5-20250929", "standard"], "cla-sonnet-4-5_s"),
        (["gpt-4o-2024-08-06", "standard"], "gpt-4o-0806_sta"),
        (["o3-2025-04-16", "short"], "o3-0416_short"),
        (["gemini-2.5-flash-lite", "minimal"], "gemini-2.5-fl-li_m"),
        (["qwen2.5-coder-32b-instruct", "standard"], "qwen2.5-c-32b_s"),
        (["global.anthropic.claude-opus-5", "standard"], "g-ant-cla-op-5_s"),
        (["日本", "x|y,[z]"], "x_x-y-z"),
        (["a-" * 30, "b"], "a-a-a-a-a-a-a-a_b"),
        (["1" * 30, "2" * 30, "3" * 30], "1111_2222_33333"),
    ],
)
def test_the_prompt_is_cut_first_and_the_model_last(parts: list[str], name: str) -> None:
    assert short_name(tuple(parts), ROOM_PX) == name


@pytest.mark.parametrize("others", [["minimal"], ["step_by_step"], ["minimal", "cool"]])
@pytest.mark.parametrize(
    "models",
    [
        ["Llama-3.3-70B-Instruct", "Llama-3.3-70B-Instruct-Turbo"],
        ["gpt-5-mini", "gpt-5-nano", "gpt-5"],
        ["claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5", "claude-opus-4-1"],
        ["gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro"],
        ["qwen2.5-32b", "qwen2.5-coder-32b", "qwen3-32b"],
    ],
)
def test_models_of_one_design_have_different_names(models: list[str], others: list[str]) -> None:
    assert len({short_name((model, *others), ROOM_PX) for model in models}) == len(models)


def test_a_model_before_and_after_its_training_and_of_two_days_have_different_names() -> None:
    for models in (["llama-3.3-70b", "llama-3.3-70b-instruct"], ["gpt-4o", "gpt-4o-2024-08-06"]):
        first, second = (short_name((model, "minimal"), ROOM_PX) for model in models)
        assert first.split("_")[0] != second.split("_")[0]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=3))
def test_every_name_fits_and_is_plain(parts: list[str]) -> None:
    name = short_name(tuple(parts), ROOM_PX)
    assert name and width_px(name) <= ROOM_PX
    assert not set(name) & set("|,[]/ ") and "--" not in name and name == name.lower()
