"""Partitions are the conditions of the design."""

import dagster as dg
import pyarrow as pa

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.dagster_io.naming.partitions import (
    by_partition,
    generate_partitions,
    grade_partitions,
    same_generate_condition,
)
from tests.defs.runs import toy_study

GENERATE = [
    "a_short-5b8a",
    "a_long-7648",
    "b_short-606b",
    "b_long-cf21",
]
SCORER = "numeric-c5fa"


def test_one_generate_partition_per_condition_in_the_order_of_the_yaml(tmp_path) -> None:
    partitions = generate_partitions(toy_study(tmp_path))
    assert isinstance(partitions, dg.StaticPartitionsDefinition)
    assert partitions.get_partition_keys() == GENERATE


def test_the_grid_crosses_generate_and_grade(tmp_path) -> None:
    study = toy_study(tmp_path)
    grid = grade_partitions(study)
    assert [d.name for d in grid.partitions_defs] == ["generate", "grade"]
    keys = grid.get_partition_keys()
    assert set(keys) == set(map(PartitionKeys(study).of, study.grade_partitions()))
    assert f"{GENERATE[0]}|{SCORER}" in keys and len(keys) == 8


def test_a_solution_is_upstream_of_exactly_its_own_gradings(tmp_path) -> None:
    study = toy_study(tmp_path)
    solutions, gradings = generate_partitions(study), grade_partitions(study)
    changed = solutions.subset_with_partition_keys([GENERATE[1]])
    found = same_generate_condition().get_downstream_partitions_for_partitions(
        changed, solutions, gradings
    )
    pairs = map(PartitionKeys(study).of, study.grade_partitions())
    own = {pair for pair in pairs if pair.startswith(GENERATE[1])}
    assert set(found.get_partition_keys()) == own


def test_rows_of_a_partition() -> None:
    rows = pa.table({"gen_condition_id": ["g", "g", "h"], "grade_condition_id": ["j", "k", "j"]})
    parts = by_partition(rows, "gradings")
    assert parts[Partition(("g", "j"))].to_pylist() == rows.slice(0, 1).to_pylist()
    assert parts[Partition(("h", "k"))].num_rows == 0
    ledger = rows.rename_columns(["gen_condition_id", "condition_id"])
    assert by_partition(ledger, "grading_ledger")[Partition(("h", "j"))].num_rows == 1
