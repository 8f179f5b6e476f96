"""What a run's page in the UI shows: whatever the values are, the page is there."""

import datetime as dt
import decimal
import json
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from dagster._serdes import deserialize_value, serialize_value

from itemeval_assets.experiments import BaseExperiment
from itemeval_assets.experiments.read.preview import plain, preview
from itemeval_assets.experiments.runs.messages import _table, run_metadata
from tests.experiments import toys
from tests.experiments.toys import simulate_energy, simulations

VALUES = [
    None,
    pd.NA,
    pd.NaT,
    float("nan"),
    float("-inf"),
    np.float32(1.5),
    np.int64(7),
    2**63,
    -(2**80),
    True,
    np.bool_(False),
    "text",
    "x" * 100_000,
    b"\x00\xff",
    [1, [2, None]],
    {"a": {"b": [1]}},
    (1, "a"),
    {1},
    np.array([]),
    np.array([1.0]),
    np.array([[1, 2], [3, 4]]),
    np.array([np.array([1]), None], dtype=object),
    dt.date(2025, 1, 1),
    dt.timedelta(1),
    pd.Timestamp("2025-01-01", tz="UTC"),
    pd.Interval(0, 1),
    decimal.Decimal("1.10"),
    1 + 2j,
    object,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}")
def test_every_value_is_shown(value: Any) -> None:
    column = pd.Series([None], dtype=object)
    column.iat[0] = value
    index = pd.MultiIndex.from_arrays([["e"], [0], ["s"]], names=["experiment_id", "x", None])
    found = _table(pd.DataFrame({"y": column.to_numpy()}, index=index))
    assert deserialize_value(serialize_value(found), dg.TableMetadataValue) == found
    assert list(found.records[0].data) == ["x", "y"]
    assert len(str(found.records[0].data["y"])) < 1100
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == plain(value)


def test_exact_integers_stay_exact_and_numbers_are_numbers() -> None:
    values: list[Any] = [7, 2**53, 2**53 + 1, 1.5, True, float("nan")]
    assert [*map(plain, values)] == [7, 2**53, str(2**53 + 1), 1.5, True, "nan"]


def test_a_column_named_as_a_level_is_told_apart() -> None:
    index = pd.MultiIndex.from_arrays([[1], [2]], names=["x", "sort_index"])
    frame = pd.DataFrame([[3, 4, 5]], index=index, columns=["x", "y", "y"])
    assert preview(frame, first=("sort_index",)) == (
        ["sort_index", "x", "x (column)", "y", "y (column)"],
        [[2, 1, 3, 4, 5]],
    )


def test_a_wide_frame_has_as_many_columns_as_a_page() -> None:
    found = _table(pd.DataFrame(np.zeros((2, 8760))))
    names = [column.name for column in found.schema.columns]
    assert (len(names), names[-1]) == (51, "and 8,710 more")
    assert set(found.records[1].data) == set(names)


def test_failed_specs_come_first(folder: Any, instance: dg.DagsterInstance) -> None:
    toys.failing[1.0] = ValueError("no 1")
    run, ref = BaseExperiment(simulate_energy).allocate(simulations(3), instance=instance)
    ref.result()
    found = run_metadata(run)
    assert list(found)[:2] == ["failed", "errors"]
    (error,) = (record.data for record in found["errors"].records)
    assert list(error)[:3] == ["sort_index", "error_type", "message"]
    assert (error["sort_index"], error["message"], error["temperature"]) == (1, "no 1", 1.0)
    assert "traceback" not in error
    columns = {column.name: column for column in found["dagster/column_schema"].schema.columns}
    assert (columns["temperature"].type, columns["temperature"].description) == (
        "double",
        "in kelvin",
    )
    assert columns["energy"].type == "double" and "scalars.pq" in found["read"].md_str


def test_a_frame_that_cannot_be_shown_says_why(folder: Any, instance: dg.DagsterInstance) -> None:
    run, ref = BaseExperiment(simulate_energy).allocate(simulations(1), instance=instance)
    ref.result()
    run.backend.update(run.place.final_file("scalars"), lambda _: b"broken")
    found = run_metadata(run)
    for name in ("preview", "read"):
        assert "scalars.pq is no readable Parquet file" in str(found[name].value)
