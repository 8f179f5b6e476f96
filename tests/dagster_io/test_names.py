"""Names in Dagster and back."""

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.dagster_io.names import (
    asset_key,
    identifier,
    partition_key,
    to_partition,
    to_partitions,
)
from tests.defs.runs import toy_study


def test_asset_keys_start_with_the_study_and_groups_have_no_hyphen(tmp_path) -> None:
    study = toy_study(tmp_path, study="my-study_2")
    assert asset_key(study, "gradings").to_user_string() == "my-study_2/gradings"
    assert identifier(study) == "my_study_2"


def test_a_partition_key_names_its_partition() -> None:
    for partition in (Partition(("gen--1",)), Partition(("gen--1", "grade--2"))):
        assert to_partition(partition_key(partition)) == partition
    assert partition_key(Partition(("gen--1", "grade--2"))) == "gen--1|grade--2"


def test_partitions_come_in_the_order_of_the_design() -> None:
    order = [Partition((name,)) for name in "bac"]
    assert to_partitions(["c", "b", "not in the design"], order) == [("b",), ("c",)]
