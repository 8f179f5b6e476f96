"""Partition keys: short, readable, one for each condition, and the way back."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io import keys as module
from itemeval_assets.dagster_io.keys import PartitionKeys
from tests.defs.runs import toy_study

# As many signs as a column of Dagster's grid shows in a window of 1,400 px.
SHOWN = 24


def name_of(*parts: str) -> str:
    return module._name(parts)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["alpha", "standard"], "alpha_standard"),
        (["gpt-5-mini", "standard"], "gpt-5-mini_standard"),
        (["gpt-5-mini", "step_by_step"], "gpt-5-mini_step-by"),
        (["gpt-4o-2024-08-06", "standard"], "gpt-4o_standard"),
        (["o3-2025-04-16", "short"], "o3-2025-04-16_short"),
        (["claude-sonnet-4-5-20250929", "standard"], "clau-son-4-5_standa"),
        (["claude-sonnet-4-5-20250929", "standard", "high"], "cl-so-4-5_stan_high"),
        (["Llama-3.3-70B-Instruct-Turbo", "standard"], "llam-3.3-70b_standa"),
        (["qwen2.5-coder-32b-instruct", "standard"], "qwen2.5-32b_standa"),
        (["strict_judge", "strict"], "strict-judge_strict"),
        (["multiple_choice"], "multiple-choice"),
        (["日本", "x|y,[z]"], "x_x-y-z"),
        (["a-" * 30, "b"], "a-a-a-a-a-a-a-a-a_b"),
        (["1" * 30, "2" * 30, "3" * 30], "111111111_2222_3333"),
    ],
)
def test_a_name_has_as_much_of_each_part_as_there_is_room_for(parts, name) -> None:
    assert name_of(*parts) == name


@given(st.lists(st.text(max_size=60), min_size=1, max_size=3))
def test_every_name_is_short_and_plain(parts: list[str]) -> None:
    name = name_of(*parts)
    assert len(name) <= module._LONGEST_NAME == SHOWN - 1 - module._DIGEST
    assert not set(name) & set("|,[]/ ") and "--" not in name and name == name.lower()


def test_a_key_ends_in_the_start_of_the_digest_and_leads_back(tmp_path: Path) -> None:
    study = toy_study(tmp_path)
    keys = PartitionKeys(study)
    for partition in (*study.generate_partitions(), *study.grade_partitions()):
        key = keys.of(partition)
        assert keys.partition(key) == partition
        for part, id in zip(key.split("|"), partition, strict=True):
            assert len(part) <= SHOWN and part[-5:] == f"-{id.rpartition('--')[2][:4]}"
    assert keys.of(study.grade_partitions()[1]) == "a_short-5b8a|judge_strict-10a9"


def test_ids_in_the_place_of_keys_are_understood(tmp_path: Path) -> None:
    """Runs of older versions bear them in their tags."""
    study = toy_study(tmp_path)
    for partition in (*study.generate_partitions(), *study.grade_partitions()):
        assert PartitionKeys(study).partition("|".join(partition)) == partition


def test_partitions_come_in_the_order_of_the_design(tmp_path: Path) -> None:
    study = toy_study(tmp_path)
    order, keys = study.generate_partitions(), PartitionKeys(study)
    assert keys.partitions(["no condition", *map(keys.of, order[:0:-1])], order) == order[1:]


def test_a_key_stays_when_the_design_grows(tmp_path: Path) -> None:
    small = PartitionKeys(toy_study(tmp_path / "small", models=["mockllm/a"], prompts=["short"]))
    grown = PartitionKeys(
        toy_study(
            tmp_path / "grown",
            models=["mockllm/b", "other/a", "mockllm/a"],
            prompts=["long", "short"],
            scorer=["numeric", "exact_match"],
            graders=["mockllm/judge", "other/judge"],
            extra={"facets": {"model_config": [{"name": "high", "top_p": 1}, {"name": "default"}]}},
        )
    )
    assert small.generate.items() <= grown.generate.items()
    assert small.grade.items() <= grown.grade.items()
    assert len(set(grown.generate.values())) == 12 and len(set(grown.grade.values())) == 4


def test_conditions_whose_keys_would_be_equal_are_known_by_their_ids(tmp_path: Path) -> None:
    study = toy_study(tmp_path)
    first, second, *others = study.design.generate
    twin = replace(first, id=f"{first.id[:-8]}{'0' * 8}")
    assert PartitionKeys(with_generate(study, first)).generate == {first.id: "a_short-5b8a"}
    crowded = with_generate(study, first, twin, second, *others)
    keys = PartitionKeys(crowded)
    assert list(keys.generate.values())[:3] == [first.id, twin.id, "a_long-7648"]
    for ids in product(keys.generate, keys.grade):
        assert keys.partition(keys.of(Partition(ids))) == ids


def with_generate(study: Study, *conditions) -> Study:
    return replace(study, design=replace(study.design, generate=conditions))
