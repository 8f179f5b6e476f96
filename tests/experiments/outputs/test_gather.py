"""Shards into final tables: what pandas reads, whatever the shards hold, in little memory."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.outputs.frame_rows import frame_rows
from itemeval_assets.experiments.outputs.gather import GatherResult, Shard, gather
from itemeval_assets.experiments.outputs.outcomes import Failure, Outcome
from itemeval_assets.experiments.outputs.shard_output import ShardOutput, merge
from itemeval_assets.experiments.outputs.survey import Survey
from itemeval_assets.experiments.outputs.tables import shard_tables
from itemeval_assets.experiments.spec.files import FileReference
from itemeval_assets.experiments.spec.index import BASE_LEVELS, index_of
from itemeval_assets.experiments.spec.models import ExperimentInputSpec, ExperimentOutputSpec
from itemeval_assets.experiments.spec.transport import decode_specs, encode_specs
from tests.experiments.running import run_specs


class Beam(ExperimentInputSpec):
    temperature: float = Field(description="Kelvin.", ge=0)
    pressure: float = Field(description="Pascal.")
    material: str
    drawing: FileReference | None = None


class Result(ExperimentOutputSpec):
    energy: float = Field(description="Joule.")
    efficiency: float | None = None
    report: FileReference | None = None
    raw_data: FileReference | None = None


BEAM_LEVELS = [*BASE_LEVELS, "temperature", "pressure", "material"]


def simulate_energy(spec: Beam, tempdir: Path) -> Result:
    if spec.temperature in (10.0, 500.0, 990.0):
        raise ValueError(f"melts at {spec.temperature}")
    (tempdir / "report.txt").write_text(spec.material)
    hours = pd.DataFrame({"hour": [0, 1], "load": [spec.temperature, 2 * spec.temperature]})
    return Result(
        energy=spec.temperature * 2,
        efficiency=95.0,
        report=tempdir / "report.txt",
        dataframes={"hourly": hours, "my_errors": pd.DataFrame({"size": [spec.pressure]})},
    )


def beams(n: int) -> list[Beam]:
    run = {"experiment_id": "simulate_energy/v1.0.0/2025-07-23_12-59-51"}
    return [
        Beam(
            **run,
            sort_index=place,
            workflow_run_id=f"w{place}",
            root_workflow_run_id="abc-123",
            temperature=place,
            pressure=1.2e6,
            material=("steel", "aluminum")[place % 2],
            drawing="s3://b/a.pdf",
        )
        for place in range(n)
    ]


def uri(field: str, spec: ExperimentInputSpec, path: Path) -> str:
    return f"s3://bucket/results/{field}/{spec.workflow_run_id}{path.suffix}"


def read(result: GatherResult, name: str) -> pd.DataFrame:
    return pd.read_parquet(result.files[name], use_threads=False)


def gathered(
    folder: Path, *shards: list[Outcome], output_type: type[ExperimentOutputSpec] = Result
) -> GatherResult:
    encoded = [ShardOutput(shard).encode() for shard in shards]
    return gather([partial(ShardOutput.decode, data) for data in encoded], folder, output_type)


def test_the_example_of_a_thousand_specs_of_which_three_fail(tmp_path: Path) -> None:
    shards: list[Shard] = []
    for number in range(4):
        specs = decode_specs(encode_specs(beams(1000)[number * 250 :][:250]), Beam)
        data = run_specs(simulate_energy, specs, uri).encode()
        shards.append(partial(ShardOutput.decode, data))

    result = gather(shards, tmp_path / "final", Result)

    assert (result.succeeded, result.failed) == (997, 3)
    names = ["scalars", "result_file_refs", "errors", "hourly", "my_errors"]
    assert list(result.files) == names
    assert sorted(path.name for path in (tmp_path / "final").iterdir()) == sorted(
        f"{name}.pq" for name in names
    )
    assert result.rows == dict(zip(names, [997, 997, 3, 1994, 997], strict=True))

    scalars = read(result, "scalars")
    assert list(scalars.index.names) == BEAM_LEVELS
    assert list(scalars.columns) == ["energy", "efficiency"]
    survivors = [place for place in range(1000) if place not in (10, 500, 990)]
    assert list(scalars.index.get_level_values("sort_index")) == survivors
    assert list(scalars["energy"]) == [2.0 * place for place in survivors]
    assert scalars.loc[(slice(None), 4), "energy"].item() == 8.0
    assert set(scalars.index.get_level_values("root_workflow_run_id")) == {"abc-123"}

    files = read(result, "result_file_refs")
    assert files.index.equals(scalars.index)
    assert list(files.columns) == ["report", "raw_data"]
    assert files["report"].iloc[1] == "s3://bucket/results/report/w1.txt"
    assert files["raw_data"].isna().all()

    errors = read(result, "errors")
    assert list(errors.index.names) == BEAM_LEVELS
    assert list(errors.index.get_level_values("temperature")) == [10.0, 500.0, 990.0]
    assert list(errors["message"]) == ["melts at 10.0", "melts at 500.0", "melts at 990.0"]
    assert set(errors["error_type"]) == {"ValueError"}

    hourly = read(result, "hourly")
    assert list(hourly.index.names) == [*BEAM_LEVELS, "sort_subindex"]
    assert list(hourly.index.get_level_values("sort_subindex"))[:4] == [0, 1, 0, 1]
    assert list(hourly.columns) == ["hour", "load"]
    assert list(read(result, "my_errors").index.names) == BEAM_LEVELS


def test_files_are_as_pandas_writes_them(tmp_path: Path) -> None:
    shard = list(run_specs(simulate_energy, beams(5), uri).outcomes)
    result = gathered(tmp_path, shard)
    for path in result.files.values():
        frame = pd.read_parquet(path, use_threads=False)
        frame.to_parquet(tmp_path / "again.pq")
        ours, theirs = pq.read_schema(path), pq.read_schema(tmp_path / "again.pq")
        assert ours.names == theirs.names
        columns = ("name", "field_name", "numpy_type")
        described = [
            [tuple(c[key] for key in columns) for c in schema.pandas_metadata["columns"]]
            for schema in (ours, theirs)
        ]
        assert described[0] == described[1]
        assert ours.pandas_metadata["index_columns"] == theirs.pandas_metadata["index_columns"]
        pd.testing.assert_frame_equal(
            frame, pd.read_parquet(tmp_path / "again.pq", use_threads=False)
        )


def test_a_second_try_fills_only_what_is_missing(tmp_path: Path) -> None:
    first = run_specs(simulate_energy, beams(12), uri)
    again = ShardOutput([Outcome(10, first.outcomes[10].levels, {"energy": 7.0})])
    result = gathered(tmp_path, list(merge(first, again).outcomes))
    assert (result.succeeded, result.failed) == (12, 0)
    assert "errors" not in result.files
    assert read(result, "scalars")["energy"].iloc[10] == 7.0


def test_all_failed_is_a_table_of_no_rows_with_all_columns(tmp_path: Path) -> None:
    result = gathered(
        tmp_path,
        [Outcome(n, dict(index_of(beams(2)[n])), failure=Failure("E", "m")) for n in (0, 1)],
    )
    assert (result.succeeded, result.failed) == (0, 2)
    scalars = read(result, "scalars")
    assert len(scalars) == 0
    assert list(scalars.index.names) == BEAM_LEVELS
    assert scalars.dtypes.to_dict() == {"energy": "float64", "efficiency": "float64"}
    assert len(read(result, "result_file_refs")) == 0
    assert len(read(result, "errors")) == 2


def test_no_shards_are_a_table_of_no_rows(tmp_path: Path) -> None:
    result = gather([], tmp_path, Result)
    assert list(read(result, "scalars").index.names) == list(BASE_LEVELS)


# --- strange values, in one shard and over several

# An index of pandas has no integers or booleans beside null: it reads those levels as floats and
# objects, from a file that holds them as they are.
AS_LEVEL = {"Int64": "float64", "boolean": "object"}

strange = [
    ([1, None], "Int64"),
    ([1, 2], "int64"),
    ([1, 2.5], "float64"),
    ([True, None], "boolean"),
    ([1, "a"], "str"),
    ([1.0, "a"], "str"),
    ([True, 1], "str"),
    ([None, "a"], "str"),
    ([2**70, 1], "str"),
    ([float("nan"), 1.0], "float64"),
    ([None, None], "object"),
]


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(("values", "dtype"), strange, ids=str)
def test_levels_and_columns_of_mixed_values(
    tmp_path: Path, values: list[Any], dtype: str, cut: bool
) -> None:
    class Any_(ExperimentOutputSpec):
        value: Any = None

    outcomes = [
        Outcome(n, {"experiment_id": "e", "sort_index": n, "level": v}, {"value": v})
        for n, v in enumerate(values)
    ]
    shards = [[outcome] for outcome in outcomes] if cut else [outcomes]
    result = gathered(tmp_path, *shards, output_type=Any_)
    scalars = read(result, "scalars")
    assert scalars["value"].dtype == dtype
    assert scalars.index.get_level_values("level").dtype == AS_LEVEL.get(dtype, dtype)
    shown = [None if pd.isna(value) else value for value in scalars["value"]]
    if dtype == "str":
        wanted = [v if isinstance(v, str | None) else json.dumps(v) for v in values]
    else:
        wanted = [None if pd.isna(v) else v for v in values]
    assert shown == wanted
    stored = pq.ParquetFile(result.files["scalars"]).read(use_threads=False)
    assert str(stored["level"]) == str(stored["value"])


BIG = 2**60 + 1
NS = pd.Timestamp("2024-01-02 03:04:05.123456789")


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    ("values", "as_level"),
    [
        ([BIG, None], [str(BIG), None]),
        ([2**53, None], [2**53, None]),
        ([BIG, 1], [BIG, 1]),
        ([2**64 - 1, None], [str(2**64 - 1), None]),
        ([2**64 - 1, 0], [2**64 - 1, 0]),
    ],
    ids=str,
)
def test_integers_are_exact_in_columns_and_levels(
    tmp_path: Path, values: list[Any], as_level: list[Any], cut: bool
) -> None:
    class Any_(ExperimentOutputSpec):
        value: Any = None

    outcomes = [
        Outcome(
            n,
            {"experiment_id": "e", "sort_index": n, "level": value},
            {"value": value},
            frames={
                "ts": frame_rows(pd.DataFrame({"x": [1]}, index=pd.Index([value], name="own")), {})
            },
        )
        for n, value in enumerate(values)
    ]
    shards = [[outcome] for outcome in outcomes] if cut else [outcomes]
    result = gathered(tmp_path, *shards, output_type=Any_)
    scalars, ts = read(result, "scalars"), read(result, "ts")
    assert [None if pd.isna(v) else v for v in scalars["value"]] == values
    for level in (scalars.index.get_level_values("level"), ts.index.get_level_values("own")):
        assert [None if pd.isna(value) else value for value in level] == as_level


def test_containers_are_native_where_uniform_else_json(tmp_path: Path) -> None:
    class Nested(ExperimentOutputSpec):
        values: list[float] | None
        mixed: tuple[int, str] | None
        table: dict[str, Any]

    def outcome(n: int, **scalars: Any) -> Outcome:
        return Outcome(n, {"sort_index": n}, scalars)

    result = gathered(
        tmp_path,
        [outcome(0, values=[1, 2], mixed=[1, "a"], table={"a": 1})],
        [outcome(1, values=[2.5], mixed=None, table={"b": [1]})],
        output_type=Nested,
    )
    scalars = read(result, "scalars")
    assert [list(values) for values in scalars["values"]] == [[1.0, 2.0], [2.5]]
    assert scalars["mixed"].iloc[0] == '[1, "a"]'
    assert pd.isna(scalars["mixed"].iloc[1])
    assert list(scalars["table"]) == ['{"a": 1}', '{"b": [1]}']


def test_features_of_some_specs_only_and_of_mixed_types(tmp_path: Path) -> None:
    class Featured(ExperimentInputSpec):
        a: int

        @property
        def computed_features(self) -> Mapping[str, Any]:
            if self.a == 0:
                return {"f": 1}
            return {"e": "x", "f": "big"} if self.a == 1 else {}

    def same(spec: Featured) -> Result:
        return Result(energy=1)

    specs = [Featured(a=a, sort_index=a) for a in range(3)]
    shards = [list(run_specs(same, [spec], uri).outcomes) for spec in specs]
    scalars = read(gathered(tmp_path, *shards), "scalars")
    assert list(scalars.index.names) == [*BASE_LEVELS, "a", "e", "f"]
    assert list(scalars.index.get_level_values("f"))[:2] == ["1", "big"]
    assert pd.isna(scalars.index.get_level_values("f")[2])


def test_a_column_may_have_the_name_of_a_level(tmp_path: Path) -> None:
    class Same(ExperimentOutputSpec):
        temperature: float

    levels = {**dict.fromkeys(BASE_LEVELS), "sort_index": 0, "temperature": 300.0}
    result = gathered(tmp_path, [Outcome(0, levels, {"temperature": 310.0})], output_type=Same)
    scalars = read(result, "scalars")
    assert list(scalars.index.names) == [*BASE_LEVELS, "temperature"]
    assert scalars["temperature"].item() == 310.0
    assert scalars.index.get_level_values("temperature")[0] == 300.0


# --- frames


def frames(folder: Path, *given_frames: pd.DataFrame) -> pd.DataFrame:
    """The final frame where spec n, in a shard of its own, gives frame n."""

    def gives(spec: Beam) -> Result:
        return Result(energy=1, dataframes={"ts": given_frames[spec.sort_index]})

    shards = [list(run_specs(gives, [spec], uri).outcomes) for spec in beams(len(given_frames))]
    result = gathered(folder, *shards)
    assert result.failed == 0, read(result, "errors")["message"].tolist()
    return read(result, "ts")


def test_frames_of_different_columns_are_joined(tmp_path: Path) -> None:
    frame = frames(
        tmp_path,
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"a": [2.5], 3: [True]}),
        pd.DataFrame({"a": []}),
    )
    assert list(frame.columns) == ["a", "3", "b"]
    assert list(frame["a"]) == [1.0, 2.0, 2.5]
    assert list(frame.index.get_level_values("sort_subindex")) == [0, 1, 0]
    assert list(frame.index.get_level_values("sort_index")) == [0, 0, 1]
    assert frame["3"].dtype == "boolean"


def test_one_row_each_needs_no_row_number(tmp_path: Path) -> None:
    frame = frames(tmp_path, pd.DataFrame({"a": [1]}), pd.DataFrame({"a": ["x"]}))
    assert list(frame.index.names) == BEAM_LEVELS
    assert list(frame["a"]) == ["1", "x"]


def test_frames_of_different_columns_in_one_shard_keep_the_order_of_the_specs(
    tmp_path: Path,
) -> None:
    def gives(spec: Beam) -> Result:
        n = spec.sort_index
        name = "even" if n % 2 == 0 else "odd"
        frame = pd.DataFrame({name: [n, n + 100], "text": [str(n), "x"]})
        return Result(energy=1, dataframes={"ts": frame} if n != 3 else {})

    frame = read(gathered(tmp_path, list(run_specs(gives, beams(6), uri).outcomes)), "ts")
    owners = frame.index.get_level_values("sort_index")
    assert list(owners) == [0, 0, 1, 1, 2, 2, 4, 4, 5, 5]
    assert list(frame.index.get_level_values("sort_subindex")) == [0, 1] * 5
    assert list(frame["even"].fillna(frame["odd"])) == [
        n + more for n in (0, 1, 2, 4, 5) for more in (0, 100)
    ]
    assert list(frame["text"][::2]) == ["0", "1", "2", "4", "5"]


def test_a_wide_frame_is_read_back_as_it_was(tmp_path: Path) -> None:
    columns = {
        f"c{n}": [np.float32(n), np.int8(n), n % 2 == 0, str(n), pd.Timestamp(n, unit="h")][n % 5]
        for n in range(100)
    }
    wide = pd.DataFrame({name: [value] for name, value in columns.items()})
    frame = frames(tmp_path, wide, wide)
    assert list(frame.columns) == list(columns)
    assert frame.dtypes.astype(str).tolist() == wide.dtypes.astype(str).tolist()
    pd.testing.assert_frame_equal(frame.iloc[1:].reset_index(drop=True), wide)


def test_dtypes_of_frames_are_kept(tmp_path: Path) -> None:
    given_frame = pd.DataFrame(
        {
            "small": pd.Series([1, 2], dtype="int16"),
            "nullable": pd.Series([1, None], dtype="Int64"),
            "single": pd.Series([1.5, 2.5], dtype="float32"),
            "when": pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("Europe/Berlin"),
            "spell": pd.to_timedelta(["1h", "2h"]),
            "flag": [True, False],
            "text": ["a", None],
            "lists": [[1], [2, 3]],
        }
    )
    frame = frames(tmp_path, given_frame, given_frame)
    assert frame.dtypes.astype(str).to_dict() == given_frame.dtypes.astype(str).to_dict()
    back = frame.iloc[2:].reset_index(drop=True)
    pd.testing.assert_frame_equal(back.drop(columns="lists"), given_frame.drop(columns="lists"))


def test_columns_of_either_byte_order_are_kept(tmp_path: Path) -> None:
    given_frame = pd.DataFrame(
        {
            "count": np.array([1, 2], ">i4"),
            "share": np.array([0.5, np.nan], ">f8"),
            "spell": np.array([1, 2], ">m8[s]"),
        },
        index=pd.Index(np.array([3, 4], ">i8"), name="own"),
    )
    frame = frames(tmp_path, given_frame)
    assert list(map(str, frame.dtypes)) == ["int32", "float64", "timedelta64[s]"]
    assert frame["count"].tolist() == [1, 2]
    assert frame["share"].fillna(0).tolist() == [0.5, 0]
    assert frame.index.get_level_values("own").tolist() == [3, 4]


def test_instants_and_durations_far_away_stand_beside_text(tmp_path: Path) -> None:
    far = {
        "when": np.array(["290000-01-01"], "M8[s]"),
        "spell": np.array([2**60], "m8[s]"),
    }
    frame = frames(tmp_path, pd.DataFrame(far), pd.DataFrame({"when": [True], "spell": ["none"]}))
    assert frame["when"].tolist() == ["290000-01-01T00:00:00", "true"]
    assert frame["spell"].tolist() == ["13343998895912 days 13:56:16", "none"]


def test_types_of_several_specs_hold_each_value_exactly(tmp_path: Path) -> None:
    """Spec by spec: ids beside missing ones, unsigned beside negative, fine beside coarse times."""
    first = {
        "id": pd.Series([BIG]),
        "hash": pd.Series([2**64 - 1], dtype="uint64"),
        "small": pd.Series([1], dtype="uint64"),
        "when": pd.Series([NS]),
        "spell": pd.Series([pd.Timedelta(1)]),
        "price": pd.Series([Decimal("1.5")]),
        "mixed": pd.Series([BIG]),
    }
    then = {
        "id": pd.Series([np.nan]),
        "hash": pd.Series([-1]),
        "small": pd.Series([-1]),
        "when": pd.Series([pd.Timestamp("2024-01-01")]).astype("datetime64[s]"),
        "spell": pd.Series([pd.Timedelta("1s")]).astype("timedelta64[s]"),
        "price": pd.Series([Decimal("10.25")]),
        "mixed": pd.Series([0.5]),
    }
    frame = frames(tmp_path, pd.DataFrame(first), pd.DataFrame(then))
    assert (frame["id"].iloc[0], frame["id"].isna().tolist()) == (BIG, [False, True])
    assert frame["hash"].tolist() == [str(2**64 - 1), "-1"]
    assert frame["small"].tolist() == [1, -1]
    assert frame["when"].tolist() == [NS, pd.Timestamp("2024-01-01")]
    assert frame["spell"].tolist() == [pd.Timedelta(1), pd.Timedelta("1s")]
    assert frame["price"].tolist() == [Decimal("1.50"), Decimal("10.25")]
    assert frame["mixed"].tolist() == [str(BIG), "0.5"]


def test_an_index_of_years_is_kept_and_row_numbers_beside_it(tmp_path: Path) -> None:
    years = pd.DataFrame({"a": [1, 2]}, index=[2020, 2021])
    frame = frames(tmp_path, years, years.reset_index(drop=True), years.rename_axis("index"))
    assert list(frame.index.names) == [*BEAM_LEVELS, "sort_subindex", "index"]
    index = frame.index.get_level_values("index")
    assert (index.tolist(), index.dtype) == ([2020, 2021, 0, 1, 2020, 2021], "int64")


def test_an_index_of_instants_keeps_its_type_beside_row_numbers(tmp_path: Path) -> None:
    times = pd.DataFrame({"a": [1, 2]}, index=[NS, NS])
    frame = frames(tmp_path, times, times.reset_index(drop=True))
    assert frame.index.get_level_values("index").tolist() == [NS, NS, pd.NaT, pd.NaT]


def test_a_frame_with_another_level_has_no_row_numbers_for_an_index(tmp_path: Path) -> None:
    years = pd.DataFrame({"a": [1]}, index=[2020])
    frame = frames(tmp_path, years, years.rename_axis("year"))
    assert list(frame.index.names)[-2:] == ["year", "index"]
    assert [str(v) for v in frame.index.get_level_values("index")] == ["2020.0", "nan"]


@pytest.mark.parametrize("cut", [False, True])
def test_a_level_of_containers_is_text_that_can_be_hashed(tmp_path: Path, cut: bool) -> None:
    index = pd.Index([frozenset({2, 1}), frozenset()], name="set")
    parts = [pd.DataFrame({"a": [1, 2]}, index=index)]
    frame = frames(tmp_path, *(parts * 2 if cut else parts))
    assert list(frame.index.get_level_values("set"))[:2] == ["[1, 2]", "[]"]


def test_intervals_and_periods_are_read_back_as_such(tmp_path: Path) -> None:
    given_frame = pd.DataFrame(
        {
            "cut": pd.cut(pd.Series([1, 5]), 2),
            "month": pd.period_range("2024-01", periods=2, freq="M"),
        }
    )
    frame = frames(tmp_path, given_frame, given_frame)
    assert frame["cut"].tolist()[:2] == given_frame["cut"].tolist()
    assert frame["month"].tolist()[:2] == given_frame["month"].tolist()
    mixed = frames(tmp_path / "mixed", given_frame, pd.DataFrame({"cut": ["x"], "month": [None]}))
    assert mixed["cut"].tolist() == [*map(str, given_frame["cut"]), "x"]
    assert mixed["month"].tolist()[:2] == given_frame["month"].tolist()


def test_named_levels_of_a_frame_follow_the_row_number(tmp_path: Path) -> None:
    when = pd.date_range("2024-01-01", periods=2, freq="h", name="time", tz=UTC)
    frame = frames(
        tmp_path,
        pd.DataFrame({"a": [1, 2]}, index=when),
        pd.DataFrame({"a": [3]}, index=pd.Index(["x"], name="zone")),
        pd.DataFrame({"time": [datetime(2025, 1, 1, tzinfo=UTC)], "a": [4]}),
    )
    assert list(frame.index.names)[-3:] == ["sort_subindex", "zone", "time"]
    assert list(frame.columns) == ["a"]
    assert list(frame["a"]) == [1, 2, 3, 4]
    times = frame.index.get_level_values("time")
    assert list(times[:2]) == list(when)
    assert times[3] == pd.Timestamp("2025-01-01", tz="UTC")


def test_an_index_made_for_the_spec_has_its_levels_before_the_row_number(tmp_path: Path) -> None:
    def gives(spec: Beam) -> Result:
        index = spec.make_multiindex([{"hour": 5}, {"hour": 6}], n_rows=2)
        return Result(energy=1, dataframes={"ts": pd.DataFrame({"a": [1, 2]}, index=index)})

    result = gathered(tmp_path, list(run_specs(gives, beams(2), uri).outcomes))
    frame = read(result, "ts")
    assert list(frame.index.names) == [*BEAM_LEVELS, "hour", "sort_subindex"]
    assert list(frame.index.get_level_values("hour")) == [5, 6, 5, 6]


def test_a_name_that_is_a_level_of_another_spec_is_no_trouble(tmp_path: Path) -> None:
    class Featured(ExperimentInputSpec):
        @property
        def computed_features(self) -> Mapping[str, Any]:
            return {"z": 1} if self.sort_index else {}

    def gives(spec: Featured) -> Result:
        frame = pd.DataFrame({"x": [7]})
        if not spec.sort_index:
            frame.index = pd.Index([5], name="z")
        return Result(energy=1, dataframes={"ts": frame})

    specs = [Featured(sort_index=n) for n in (0, 1)]
    frame = read(gathered(tmp_path, list(run_specs(gives, specs, uri).outcomes)), "ts")
    assert list(frame.index.names) == [*BASE_LEVELS, "z"]
    assert frame["z"].iloc[0] == 5
    assert frame.index.get_level_values("z")[1] == 1


cells = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
columns = st.dictionaries(st.text(min_size=1), cells, max_size=3)


@given(st.lists(st.tuples(columns, columns, st.integers(0, 2)), min_size=1, max_size=4))
def test_any_shards_can_be_gathered(
    tmp_path_factory: pytest.TempPathFactory,
    given_specs: list[tuple[dict[str, Any], dict[str, Any], int]],
) -> None:
    class Any_(ExperimentOutputSpec):
        value: Any = None

    class Free(ExperimentInputSpec):
        @property
        def computed_features(self) -> Mapping[str, Any]:
            return given_specs[self.sort_index][0]

    def gives(spec: Free) -> Any_:
        _, row, n = given_specs[spec.sort_index]
        frame = pd.DataFrame([row] * n)
        return Any_(value=next(iter(row.values()), None), dataframes={"ts": frame})

    specs = [Free(sort_index=place) for place in range(len(given_specs))]
    shards = [list(run_specs(gives, [spec], uri).outcomes) for spec in specs]
    result = gathered(tmp_path_factory.mktemp("final"), *shards, output_type=Any_)
    assert result.succeeded + result.failed == len(specs)
    for name, path in result.files.items():
        frame = pd.read_parquet(path, use_threads=False)
        assert len(frame) == result.rows[name]
        assert list(frame.index.names)[:4] == list(BASE_LEVELS)


leaf = (
    *(cells, st.datetimes(timezones=st.none() | st.timezones()), st.timedeltas(), st.times()),
    *(st.decimals(), st.binary(max_size=3), st.uuids(), st.complex_numbers()),
    *(st.integers(-(2**62), 2**62).map(make) for make in (pd.Timestamp, pd.Timedelta)),
    st.just(5000).map(lambda digits: 10**digits),
    st.sampled_from(
        [
            *(pd.NaT, pd.NA, pd.Interval(0, 1), pd.Period("2020"), Path("a"), range(3), object),
            *(np.float16(1), np.longdouble(2), np.uint64(2**64 - 1), np.str_("x"), np.void(b"a")),
            *(np.datetime64("0001-01-01T00:00:00.1", "ps"), np.timedelta64(3, "M"), "\ud800"),
            *(np.datetime64("290000-01-01", "s"), np.timedelta64(2**60, "s")),
        ]
    ),
)
keys = st.text(max_size=2) | st.integers(0, 3) | st.none() | st.just((1,))
anything = st.recursive(
    st.one_of(*leaf),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(lambda values: np.array([*values, None], object))
        | st.dictionaries(keys, inner, max_size=3)
        | st.frozensets(st.integers() | st.text(max_size=2), max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.lists(st.tuples(st.one_of(*leaf), anything, anything), min_size=1, max_size=4),
    st.booleans(),
)
def test_no_value_breaks_the_gather(
    tmp_path_factory: pytest.TempPathFactory, given_values: list[tuple[Any, ...]], cut: bool
) -> None:
    """What cannot be stored is the failure of its spec, with the field or the column."""

    class Loose(ExperimentOutputSpec):
        value: Any = None

    class Free(ExperimentInputSpec):
        @property
        def computed_features(self) -> Mapping[str, Any]:
            return {"feature": given_values[self.sort_index][0]}

    def gives(spec: Free) -> Loose:
        feature, value, cell = given_values[spec.sort_index]
        frame = pd.DataFrame({"cell": pd.Series([cell, None], dtype=object)})
        frame.index = pd.Index([repr(type(feature)), feature], dtype=object, name="own")
        return Loose(value=value, dataframes={"ts": frame})

    specs = [Free(sort_index=place) for place in range(len(given_values))]
    outcomes = run_specs(gives, specs, uri).outcomes
    for outcome in outcomes:
        if outcome.failure is not None:
            assert outcome.failure.error_type == "SpecError", outcome.failure
    shards = [[outcome] for outcome in outcomes] if cut else [list(outcomes)]
    result = gathered(tmp_path_factory.mktemp("final"), *shards, output_type=Loose)
    for name, path in result.files.items():
        assert len(pd.read_parquet(path, use_threads=False)) == result.rows[name]


# --- trouble and memory


def test_an_unreadable_shard_leaves_no_file(tmp_path: Path) -> None:
    good = ShardOutput(run_specs(simulate_energy, beams(2), uri).outcomes).encode()
    answers = iter([good, good, good, b"damaged"])
    with pytest.raises(SpecError, match="a shard output is unreadable"):
        gather([lambda: ShardOutput.decode(next(answers))] * 2, tmp_path / "final", Result)
    assert list((tmp_path / "final").iterdir()) == []


def test_memory_does_not_grow_with_the_number_of_shards(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": [float(n) for n in range(200)]})

    def gives(spec: Beam) -> Result:
        return Result(energy=1, dataframes={"ts": table + spec.sort_index})

    data = run_specs(gives, beams(20), uri).encode()

    def peak(n_shards: int) -> int:
        """The most that Arrow holds whenever the next shard is about to be read."""
        before = pa.total_allocated_bytes()
        held: list[int] = []

        def watched() -> ShardOutput:
            held.append(pa.total_allocated_bytes() - before)
            return ShardOutput.decode(data)

        result = gather([watched] * n_shards, tmp_path / str(n_shards), Result)
        assert result.rows["ts"] == n_shards * 20 * 200
        return max(held)

    # One shard of frames is 32 kB as Arrow: 180 more of them would be 5.8 MB.
    assert peak(200) < peak(20) + 500_000


@pytest.mark.parametrize("cut", [False, True], ids=["one shard", "two shards"])
def test_a_long_frame_beside_a_wide_one_holds_no_cells_for_the_columns_it_lacks(cut: bool) -> None:
    def gives(spec: Beam) -> Result:
        width, length = [(500, 1), (2, 20_000)][spec.sort_index]
        frame = pd.DataFrame(1.0, index=range(length), columns=[f"c{n}" for n in range(width)])
        return Result(energy=1, dataframes={"ts": frame})

    outcomes = run_specs(gives, beams(2), uri).outcomes
    shards = [ShardOutput([outcome]) for outcome in outcomes] if cut else [ShardOutput(outcomes)]
    survey = Survey(Result)
    for shard in shards:
        survey.add(shard)
    plan, before = survey.plan(), pa.total_allocated_bytes()
    tables = [dict(shard_tables(shard, plan))["ts"] for shard in shards]
    # The cells of all columns are 80 MB, nulls or not.
    assert pa.total_allocated_bytes() - before < 8_000_000
    table = pa.concat_tables(tables)
    assert (table.num_rows, table["c499"].null_count) == (20_001, 20_000)
    assert table["c1"].null_count == 0
    assert table["sort_index"].to_pylist() == [0] + [1] * 20_000


def test_each_shard_is_a_row_group(tmp_path: Path) -> None:
    shards = [list(run_specs(simulate_energy, [spec], uri).outcomes) for spec in beams(3)]
    result = gathered(tmp_path, *shards)
    assert pq.ParquetFile(result.files["scalars"]).num_row_groups == 3
