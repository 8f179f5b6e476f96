"""Partition keys: short, readable, one for each condition, and the way back."""

from dataclasses import replace
from itertools import product
from pathlib import Path

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.design.study import Study
from itemeval_assets.dagster_io.naming.keys import COLUMN_PX, PartitionKeys
from itemeval_assets.dagster_io.naming.short_names import width_px
from tests.defs.runs import toy_study


def test_a_key_ends_in_the_start_of_the_digest_and_leads_back(tmp_path: Path) -> None:
    study = toy_study(tmp_path)
    keys = PartitionKeys(study)
    for partition in (*study.generate_partitions(), *study.grade_partitions()):
        key = keys.of(partition)
        assert keys.partition(key) == partition
        for part, id in zip(key.split("|"), partition, strict=True):
            assert width_px(part) <= COLUMN_PX and part[-5:] == f"-{id.rpartition('--')[2][:4]}"
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
