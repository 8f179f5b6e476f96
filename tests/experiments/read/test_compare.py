"""Two versions side by side: every kind of difference by value, in a folder and a bucket."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.cli.main import run_cli
from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    SemVer,
    compare_versions,
    experiment,
)
from itemeval_assets.experiments.read.row_changes import Difference, RowChanges, row_changes
from tests.experiments import toys
from tests.experiments.toys import simulate_energy, simulations


def frame(columns: dict[str, Any], **levels: list[Any]) -> pd.DataFrame:
    rows = len(next(iter(levels.values())))
    given = {"experiment_id": ["e"] * rows, "sort_index": list(range(rows)), **levels}
    index = pd.MultiIndex.from_arrays([*given.values()], names=[*given])
    return pd.DataFrame(columns, index=index)


def test_rows_are_known_by_their_levels_in_whatever_order() -> None:
    before = frame({"y": [1.0, 2.0, 3.0]}, x=[1, 2, 3])
    after = frame({"y": [3.0, 2.5, 4.0]}, x=[3, 2, 4])
    assert row_changes(before, after) == RowChanges(
        rows_before=3,
        rows_after=3,
        added=1,
        removed=1,
        changed=1,
        values={"y": 1},
        first_added=[{"x": 4}],
        first_removed=[{"x": 1}],
        first_changed=[Difference({"x": 2}, "y", 2.0, 2.5)],
    )


VALUES: list[Any] = [
    *(None, 1, 1.5, float("inf"), -0.25, "a", b"a", True, 2**60, [1, 2], {"a": [1]}),
    *(pd.Timestamp("2025-01-01"), np.array([1.0, 2.5]), [[1], [2]]),
]


@pytest.mark.parametrize("one", range(len(VALUES)))
def test_values_of_every_kind_equal_themselves_and_no_other(one: int) -> None:
    def of(value: Any) -> pd.DataFrame:
        column = pd.Series([None], dtype=object)
        column.iat[0] = value
        return frame({"y": column.to_numpy()}, x=[0])

    for other in range(len(VALUES)):
        found = row_changes(of(VALUES[one]), of(VALUES[other]))
        # In Python, as in a table, True is 1.
        alike = one == other or {str(VALUES[one]), str(VALUES[other])} == {"1", "True"}
        assert bool(found.changed) != alike, (VALUES[one], VALUES[other])
        assert json.dumps([[told.before, told.after] for told in found.first_changed])


def test_what_is_null_on_both_sides_is_alike() -> None:
    nulls = pd.array([None, float("nan"), 1.0, pd.NA], "Float64")
    before = frame({"y": nulls, "z": [None, np.nan, "a", "b"]}, x=[0, 1, 2, 3])
    numbers = [np.nan, np.nan, 1.0, 2.0]
    after = frame({"y": numbers, "z": [np.nan, None, "a", None]}, x=[0, 1, 2, 3])
    found = row_changes(before, after)
    assert (found.changed, found.values) == (1, {"y": 1, "z": 1})
    assert found.columns_changed == {"y": ("Float64", "float64")}


def test_levels_may_be_null_and_alike() -> None:
    before = frame({"y": [1, 2, 3]}, x=[None, 1.0, 1.0])
    after = frame({"y": [1, 2, 4, 5]}, x=[np.nan, 1.0, 1.0, 1.0])
    found = row_changes(before, after)
    assert (found.added, found.removed, found.changed) == (1, 0, 1)
    assert found.first_changed == [Difference({"x": 1.0}, "y", 3, 4)]


def test_without_levels_the_number_of_the_spec_counts() -> None:
    one, two = (frame({"y": [1, last]}, sort_subindex=[0, 0]) for last in (2, 3))
    found = row_changes(one, two)
    assert found.first_changed == [Difference({"sort_index": 1, "sort_subindex": 0}, "y", 2, 3)]


def test_without_an_index_rows_are_in_both_or_in_one() -> None:
    before = pd.DataFrame({"run": ["a", "b", "b"], "usd": [1.0, None, None], "old": [1, 2, 3]})
    after = pd.DataFrame({"run": ["c", "a", "b", "d"], "usd": [1, 1, np.nan, 2]})
    found = row_changes(before, after)
    assert (found.added, found.removed, found.changed) == (2, 1, 0)
    assert found.first_added == [{"row": 0}, {"row": 3}]
    assert found.first_removed == [{"row": 2}]
    assert not row_changes(after, after.sample(frac=1, random_state=1))


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab"))), st.data())
def test_rows_without_an_index_are_counted_as_often_as_they_come(rows: Any, data: Any) -> None:
    others = data.draw(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab"))))
    found = row_changes(*(pd.DataFrame(part, columns=["x", "y"]) for part in (rows, others)))
    ones, two = Counter(rows), Counter(others)
    assert (found.added, found.removed) == ((two - ones).total(), (ones - two).total())


def test_columns_come_go_and_change_their_type() -> None:
    before = frame({"a": [1], "b": [1], "traceback": ["line 1"]}, x=[0])
    after = frame({"b": [1.0], "c": [1], "traceback": ["line 2"]}, x=[0], new=[1])
    found = row_changes(before, after)
    assert (found.columns_added, found.columns_removed) == (["c"], ["a"])
    assert found.columns_changed == {"b": ("int64", "float64")}
    assert (found.added, found.removed, found.changed) == (0, 0, 0) and found


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12), st.data())
def test_specs_in_another_order_are_the_same_specs(rows: Any, data: st.DataObject) -> None:
    # Rows that are alike stay in their order, whatever moves between them.
    place = {x: number for number, x in enumerate(data.draw(st.permutations(range(6))))}
    moved = sorted(rows, key=lambda row: place[row[0]])
    made = (frame({"y": [y for _, y in part]}, x=[x for x, _ in part]) for part in (rows, moved))
    assert not row_changes(*made)


def test_of_many_differences_the_first_are_told() -> None:
    xs = list(range(5000))
    found = row_changes(frame({"y": xs, "z": xs}, x=xs), frame({"y": [0] * 5000, "z": xs}, x=xs))
    assert (found.changed, found.values, len(found.first_changed)) == (4999, {"y": 4999}, 20)
    assert found.first_changed[0] == Difference({"x": 1}, "y", 1, 0)


class Before(ExperimentInputSpec):
    x: int
    unit: str = "m"


class Grown(ExperimentInputSpec):
    x: int
    scale: float = 1.0


class Short(ExperimentOutputSpec):
    y: int


class Result(ExperimentOutputSpec):
    y: float | None
    note: str = ""


def first(spec: Before) -> Short:
    return Short(y=spec.x, dataframes={"gone": pd.DataFrame({"a": [1]})})


def second(spec: Grown) -> Result:
    return Result(y=spec.x + 1, dataframes={"new": pd.DataFrame({"a": [1, 2]})})


def test_fields_of_two_versions_of_the_code(storage, instance) -> None:
    old = BaseExperiment(experiment(name="compared")(first), run_name="compared")
    new = BaseExperiment(experiment(name="compared-anew")(second), run_name="compared")
    old.allocate([Before(x=1), Before(x=2)], instance=instance)[1].result()
    new.allocate([Grown(x=2), Grown(x=3)], "bumpminor", instance=instance)[1].result()
    found = compare_versions(BaseExperiment("compared"), "v1.0.0", SemVer(major=1, minor=1))
    assert (found.inputs.added, found.inputs.removed) == ({"scale": "number"}, {"unit": "string"})
    assert found.outputs.added == {"note": "string"}
    assert found.outputs.changed == {"y": ("integer", "number | null")}
    assert (found.frames_added, found.frames_removed) == ({"new": 4}, {"gone": 2})
    scalars = found.frames["scalars"]
    assert (scalars.first_removed, scalars.first_added) == ([{"x": 1}], [{"x": 3}])
    assert scalars.first_changed == [Difference({"x": 2}, "y", 2, 3.0)]
    assert not found.is_equal and found.after.version == "v1.1.0"


@pytest.fixture
def energy(folder, instance) -> BaseExperiment[Any, Any]:
    """v1.0.0; v1.1.0, in which one spec failed; v1.1.1, which never ran."""
    made = BaseExperiment(simulate_energy)
    made.allocate(simulations(3), instance=instance)[1].result()
    toys.failing[1.0] = ValueError("no 1 [b]")
    made.allocate(simulations(3), "bumpminor", instance=instance)[1].result()
    made.allocate(simulations(1), "bumppatch", start=False, instance=instance)
    return made


def test_the_command_tells_what_differs(energy, capsys) -> None:
    assert run_cli(["experiments", "compare", "simulate_energy", "v1.0.0", "1.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["is_equal"], found["frames_added"]) == (False, {"errors": 1})
    assert found["frames"]["scalars"]["removed"] == 1 and found["frames"]["hourly"]["removed"] == 2
    assert "result_file_refs" not in found["frames"]
    assert run_cli(["experiments", "compare", "simulate_energy", "v1.0.0", "v1.1.0"]) == 0
    text = capsys.readouterr().out
    assert "+ errors  1 row\n" in text
    assert "scalars: 3 rows, then 2: 0 added, 1 removed, 0 changed\n" in text
    assert "- temperature=1.0, pressure=100000.0, material=steel, is_hot=False" in text


def test_values_that_differ_are_printed_with_their_specs(energy, instance, capsys) -> None:
    toys.failing.clear()
    made, ref = energy.allocate(simulations(3, material="wood"), "bumpmajor", instance=instance)
    ref.result()
    key = made.place.final_file("scalars")
    scalars = made.load_results().rename(index={"wood": "steel"}, level="material")
    made.backend.update(key, lambda _: scalars.to_parquet())
    assert run_cli(["experiments", "compare", "simulate_energy", "v1", "v2"]) == 0
    text = capsys.readouterr().out
    assert "scalars: 3 rows, then 3: 0 added, 0 removed, 3 changed\n" in text
    assert "  ! efficiency  3 values\n" in text
    assert "\n  ! efficiency 95.0 -> nan: temperature=0.0, pressure=100000.0, " in text


def test_a_run_equals_itself(energy, capsys) -> None:
    run = f"v1.0.0/{energy.version(SemVer(major=1)).latest_run.place.timestamp}"
    assert run_cli(["experiments", "compare", "simulate_energy", run, "v1"]) == 0
    assert capsys.readouterr().out.endswith("No difference.\n")
    one = energy.latest_run_with_results
    assert compare_versions(energy, one, one).is_equal


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (["v1.0.0", "newest"], "write it as v1.2.3"),
        (["v1.0.0", "v3.0.0"], "versions there: v1.1.1, v1.1.0, v1.0.0"),
        (["v1.0.0", "v1.1.1"], "no run with results in"),
        (["v1.0.0/2025-01-01_00-00-00", "v1.0.0"], "runs there: 20"),
    ],
)
def test_what_cannot_be_compared_is_a_message_and_exit_code_2(
    energy, capsys, versions, says
) -> None:
    assert run_cli(["experiments", "compare", "simulate_energy", *versions]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and says in message and "Traceback" not in message
