"""Running specs: one outcome each, whatever a function does; and shards that fill up."""

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, Field, PlainSerializer, computed_field, field_serializer

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.outputs.frame_rows import frame_rows
from itemeval_assets.experiments.outputs.outcomes import Failure, FrameRows, Outcome, stored_rows
from itemeval_assets.experiments.outputs.shard_output import ShardOutput, done, merge
from itemeval_assets.experiments.spec.files import FileReference
from itemeval_assets.experiments.spec.index import index_of
from itemeval_assets.experiments.spec.models import ExperimentInputSpec, ExperimentOutputSpec
from tests.experiments.running import run_specs


class In(ExperimentInputSpec):
    a: int


class Out(ExperimentOutputSpec):
    value: Any = None
    report: FileReference | None = None


def specs(*values: int) -> list[In]:
    return [In(a=value, sort_index=place) for place, value in enumerate(values)]


def stored(field: str, spec: ExperimentInputSpec, path: Path) -> str:
    return f"s3://b/{field}/{spec.sort_index}{path.suffix}:{path.read_text()}"


def run(function: Any, *values: int) -> tuple[Outcome, ...]:
    return run_specs(function, specs(*values), stored).outcomes


def failure(outcome: Outcome) -> Failure:
    assert outcome.failure is not None
    return outcome.failure


def test_a_failing_spec_takes_no_other_with_it() -> None:
    def inverse(spec: In) -> Out:
        return Out(value=1 / spec.a)

    good, bad, last = run(inverse, 1, 0, 2)
    assert (good.scalars, last.scalars) == ({"value": 1.0}, {"value": 0.5})
    assert (bad.scalars, bad.files, bad.frames) == ({}, {}, {})
    assert bad.levels["a"] == 0
    assert (failure(bad).error_type, failure(bad).message) == (
        "ZeroDivisionError",
        "division by zero",
    )
    assert "return Out(value=1 / spec.a)" in failure(bad).traceback


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "message"),
    [(SystemExit(3), "3"), (_Mute(), "(the error has no message)"), (RecursionError("r"), "r")],
)
def test_any_error_is_recorded(error: BaseException, message: str) -> None:
    def fails(spec: In) -> Out:
        raise error

    (outcome,) = run(fails, 1)
    assert (failure(outcome).error_type, failure(outcome).message) == (
        type(error).__name__,
        message,
    )
    assert ShardOutput.decode(ShardOutput([outcome]).encode()).outcomes == (outcome,)


def test_an_interrupt_passes() -> None:
    def stopped(spec: In) -> Out:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stopped, 1)


def test_a_wrong_result_is_a_failure() -> None:
    def nothing(spec: In) -> Out:
        return None  # type: ignore[return-value]

    (outcome,) = run(nothing, 1)
    assert failure(outcome).message == (
        "the function returned NoneType, not Out as its annotation says"
    )


def test_a_value_that_cannot_be_stored_is_a_failure() -> None:
    class Loose(ExperimentOutputSpec):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        value: Any

    def odd(spec: In) -> Loose:
        return Loose(value=object() if spec.a else float("inf"))

    fine, bad = run(odd, 0, 1)
    assert fine.scalars == {"value": float("inf")}
    assert failure(bad).message.startswith("Loose.value cannot be stored: ")
    assert "give it numbers, text, dates, lists" in failure(bad).message


NS = pd.Timestamp("2024-01-02 03:04:05.123456789")


@pytest.mark.parametrize(
    ("value", "stored_as"),
    [
        ([1, [2.5, None]], [1, [2.5, None]]),
        ((1, "a"), [1, "a"]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({3, 1, 2}), [1, 2, 3]),
        (np.array([1, 2]), [1, 2]),
        (np.eye(2), [[1.0, 0.0], [0.0, 1.0]]),
        (np.array([NS.isoformat()], "datetime64[ns]"), [NS.isoformat()]),
        (np.array([[1], "a", None], object), [[1], "a", None]),
        ({"x": np.array([1]), 2: {np.int64(3)}}, {"x": [1], "2": [3]}),
        (np.float32(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int64(2**60 + 1), 2**60 + 1),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.datetime64("NaT"), None),
        (np.timedelta64(1, "ns"), "P0DT0H0M0.000000001S"),
        (NS, NS.isoformat()),
        ([NS, pd.NaT, pd.NA], [NS.isoformat(), None, None]),
        (pd.Timedelta(1), "P0DT0H0M0.000000001S"),
        (None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_numpy_pandas_and_python_are_stored_exactly(value: Any, stored_as: Any) -> None:
    class Computed(Out):
        @computed_field
        @property
        def again(self) -> Any:
            return self.value

    def gives(spec: In) -> Computed:
        return Computed(value=value)

    (outcome,) = run(gives, 1)
    assert outcome.scalars == {"value": stored_as, "again": stored_as}
    assert ShardOutput.decode(ShardOutput([outcome]).encode()).outcomes == (outcome,)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({1: "a", "1": "b"}, "two keys of a dict become the same text"),
        (pd.DataFrame({"x": [1]}), "frames go into dataframes"),
        (b"\xff", "invalid utf-8"),
        (10**5000, "4300 digits"),
        ([10**5000], "4300 digits"),
    ],
    ids=["keys", "frame", "bytes", "digits", "digits in a list"],
)
def test_a_value_that_would_lose_something_is_a_failure_that_names_the_field(
    value: Any, says: str
) -> None:
    (outcome,) = run(lambda_of(value), 1)
    assert failure(outcome).message.startswith("Out.value cannot be stored: ")
    assert says in failure(outcome).message


def lambda_of(value: Any) -> Any:
    def gives(spec: In) -> Out:
        return Out(value=value)

    return gives


def test_fields_beyond_the_declared_ones_are_stored() -> None:
    class Open(ExperimentOutputSpec):
        model_config = ConfigDict(extra="allow")
        declared: int

    def gives(spec: In) -> Open:
        return Open.model_validate({"declared": 1, "more": np.arange(2)})

    (outcome,) = run(gives, 1)
    assert outcome.scalars == {"declared": 1, "more": [0, 1]}


def test_serializers_of_the_output_are_kept_and_excluded_fields_left_out() -> None:
    class Own(ExperimentOutputSpec):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        decorated: Any
        annotated: Annotated[Any, PlainSerializer(lambda value: "annotated")]
        hidden: int = Field(default=3, exclude=True)

        @field_serializer("decorated")
        def _text(self, value: Any) -> str:
            return "decorated"

    def gives(spec: In) -> Own:
        return Own(decorated=NS, annotated=np.eye(2))

    (outcome,) = run(gives, 1)
    assert outcome.scalars == {"decorated": "decorated", "annotated": "annotated"}


def test_files_are_stored_before_the_folder_goes() -> None:
    folders: list[Path] = []

    def writes(spec: In, tempdir: Path) -> Out:
        folders.append(tempdir)
        assert list(tempdir.iterdir()) == []
        (tempdir / "a b.txt").write_text(str(spec.a))
        if spec.a == 2:
            return Out(report="https://example.org/a b")
        return Out(report=tempdir / ("a b.txt" if spec.a else "none.txt"))

    one, two, none = run(writes, 1, 2, 0)
    assert one.files == {"report": "s3://b/report/0.txt:1"}
    assert two.files == {"report": "https://example.org/a b"}
    assert "Out.report: the file" in failure(none).message
    assert len(set(folders)) == 3
    assert not any(folder.exists() for folder in folders)


def test_a_file_that_cannot_be_stored_is_a_failure_of_its_spec(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")

    def gives(spec: In) -> Out:
        return Out(report=tmp_path / "a" if spec.a else None)

    def refuse(field: str, spec: ExperimentInputSpec, path: Path) -> str:
        raise OSError("disk full")

    outcomes = run_specs(gives, specs(1, 0), refuse).outcomes
    assert failure(outcomes[0]).message == "disk full"
    assert outcomes[1].files == {"report": None}


def test_features_that_fail_are_failures_with_the_levels_known() -> None:
    class Featured(ExperimentInputSpec):
        a: int

        @property
        def computed_features(self) -> Mapping[str, Any]:
            return {"inverse": 1 / self.a}

    def same(spec: Featured) -> Out:
        spec.a = 99
        return Out(value=1)

    todo = [Featured(a=0, experiment_id="e"), Featured(a=2, sort_index=1)]
    bad, good = run_specs(same, todo, stored).outcomes
    assert failure(bad).error_type == "ZeroDivisionError"
    assert (bad.levels["experiment_id"], bad.levels["a"]) == ("e", 0)
    # What the function does to its spec changes no level.
    assert (good.levels["a"], good.levels["inverse"]) == (2, 0.5)


def test_outcomes_are_in_the_order_of_the_specs_numbers() -> None:
    def same(spec: In) -> Out:
        return Out(value=spec.a)

    output = run_specs(same, reversed(specs(5, 6, 7)), stored)
    assert [outcome.scalars["value"] for outcome in output.outcomes] == [5, 6, 7]


# --- frames


def frame_of(frame: pd.DataFrame, name: str = "ts") -> Outcome:
    def gives(spec: In) -> Out:
        out = Out()
        out.dataframes[name] = frame
        return out

    (outcome,) = run(gives, 1)
    return outcome


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.DataFrame({"a": [1]}), "frame 'ts': the column 'a' has the name of an index level"),
        (pd.DataFrame({"sort_subindex": [1]}), "the column 'sort_subindex'"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "two columns have the name 'x'"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), "two columns have the name '1'"),
        (pd.DataFrame({"x": [1]}, index=pd.Index([5], name="a")), "index level 'a' has the name"),
        (pd.DataFrame({"x": [1]}, index=pd.Index([5], name="x")), "a column and an index level"),
        (pd.DataFrame(index=range(3)), "rows but no columns"),
        (pd.DataFrame([[1]], columns=pd.Index(["\ud800"], dtype=object)), "half a character"),
    ],
)
def test_frames_that_cannot_be_told_from_the_index_are_failures(
    frame: pd.DataFrame, says: str
) -> None:
    assert says in failure(frame_of(frame)).message


def test_names_are_checked_again_when_the_function_is_done() -> None:
    frame = pd.DataFrame({"x": [1]})
    assert "is taken by" in failure(frame_of(frame, "errors")).message
    assert "may hold letters" in failure(frame_of(frame, "../x")).message
    assert "is no DataFrame" in failure(frame_of([1])).message  # type: ignore[arg-type]


def test_an_index_that_numbers_the_rows_is_left_out() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]})
    for index in (range(3), [0, 1, 2], pd.array([0, 1, 2], "Int64"), np.arange(3, dtype="uint8")):
        assert frame_rows(frame.set_axis(pd.Index(index)), {}).table.column_names == ["x"]
    lettered = frame_rows(frame.set_axis(["a", "b", "c"]), {})
    assert (lettered.levels_before, lettered.levels_after) == ((), ("index",))
    for index in ([2020, 2021, 2022], [1, 2, 3], [2, 1, 0], [0, 1, 1], [0.0, 1.0, 2.0]):
        years = frame_rows(frame.set_axis(index), {})
        assert (years.table["index"].to_pylist(), years.levels_after) == (index, ("index",))
    assert frame_rows(frame[frame["x"] > 1], {}).table["index"].to_pylist() == [1, 2]
    # Where the name is taken, pandas gives the next one.
    taken = pd.DataFrame({"index": [5]}, index=[2020])
    assert frame_rows(taken, {}).levels_after == ("level_0",)
    assert frame_rows(frame.set_axis([7, 8, 9]), {"index": 1}).levels_after == ("level_0",)
    pairs = pd.MultiIndex.from_tuples([("a", 1.5)] * 3, names=[None, "hour"])
    assert frame_rows(frame.set_axis(pairs), {}).levels_after == ("level_0", "hour")


def test_an_index_made_for_the_spec_keeps_its_additional_levels_only() -> None:
    spec = In(a=1)
    index = spec.make_multiindex([{"hour": hour} for hour in range(3)], n_rows=3)
    frame = pd.DataFrame({"x": [1, 2, 3]}, index=index)
    rows = frame_rows(frame, dict(index_of(spec)))
    assert (rows.levels_before, rows.levels_after) == (("hour",), ())
    assert rows.table.to_pydict() == {"x": [1, 2, 3], "hour": [0, 1, 2]}


def test_ids_beside_none_in_an_index_made_for_the_spec_are_exact() -> None:
    spec, ids = In(a=1), [2**60 + 1, None, 2**63]
    index = spec.make_multiindex([{"id": id_} for id_ in ids], n_rows=3)
    assert index.get_level_values("sort_subindex").dtype == "int64"
    rows = frame_rows(pd.DataFrame({"x": [1, 2, 3]}, index=index), dict(index_of(spec)))
    assert rows.table["id"].to_pylist() == ids


@pytest.mark.parametrize(
    ("values", "arrow"),
    [
        ([1, "a", None], ["1", "a", None]),
        ([{"a": 1}, [1], Path("x")], ['{"a": 1}', "[1]", "x"]),
        ([np.eye(2), [[1]], None], [[[1.0, 0.0], [0.0, 1.0]], [[1.0]], None]),
        ([{2, 1}, (3,), np.array([4])], [[1, 2], [3], [4]]),
        ([{"a": 1}, {"b": 2}, {}], ['{"a": 1}', '{"b": 2}', "{}"]),
        ([NS, None, pd.NaT], [NS, None, None]),
        ([pd.Timedelta(1), None, None], [pd.Timedelta(1), None, None]),
        ([date(2024, 1, 1), NS, None], ["2024-01-01", NS.isoformat(), None]),
        ([NS.tz_localize("UTC"), NS, None], [f"{NS.isoformat()}+00:00", NS.isoformat(), None]),
        ([2**60 + 1, None, 1], [2**60 + 1, None, 1]),
        ([2**64 - 1, -1, np.nan], [str(2**64 - 1), "-1", None]),
        (pd.Categorical([2**60 + 1, None, 1]), [2**60 + 1, None, 1]),
        (pd.Categorical([NS, None, date(2024, 1, 1)]), [NS.isoformat(), None, "2024-01-01"]),
        ([{}, {}, {}], ["{}", "{}", "{}"]),
        ([2**80, 1, 2], [str(2**80), "1", "2"]),
        ([np.int64(1), "a", pd.NA], ["1", "a", None]),
        (np.array(["\ud800", "a", "b"], object), ["\\ud800", "a", "b"]),
        (pd.Categorical(["a", "b", "a"]), ["a", "b", "a"]),
        ([(1, 2), "a", np.nan], ["[1, 2]", "a", None]),
    ],
)
def test_columns_of_any_values_are_stored(values: Any, arrow: list[Any]) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=getattr(values, "dtype", object))})
    assert frame_rows(frame, {}).table["x"].to_pylist() == arrow


# --- shards

tables = st.sampled_from(
    [
        pa.table({"x": [1, 2]}),
        pa.table({"x": [1.5]}),
        pa.table({"x": pa.array([], pa.int64())}),
        pa.table({"y": ["a"], "x": [None]}),
    ]
)
json_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.dictionaries(st.text(), json_scalars, max_size=3)
outcomes = st.builds(
    Outcome,
    sort_index=st.integers(0, 5),
    levels=values,
    scalars=values,
    files=st.dictionaries(st.text(), st.none() | st.text(), max_size=2),
    frames=st.dictionaries(
        st.sampled_from(["f", "g"]), st.builds(FrameRows, tables, levels_after=st.just(("x",)))
    ),
) | st.builds(
    Outcome,
    sort_index=st.integers(0, 5),
    levels=values,
    failure=st.builds(Failure, st.text(), st.text(), st.text()),
)
shards = st.lists(outcomes, unique_by=lambda outcome: outcome.sort_index).map(ShardOutput)


@given(shards)
def test_a_shard_survives_its_bytes(shard: ShardOutput) -> None:
    assert ShardOutput.decode(shard.encode()) == shard


@given(shards, shards)
def test_a_merge_keeps_the_best_of_each_spec(old: ShardOutput, new: ShardOutput) -> None:
    merged = merge(old, new)
    before = {outcome.sort_index: outcome for outcome in old.outcomes}
    after = {outcome.sort_index: outcome for outcome in new.outcomes}
    assert [o.sort_index for o in merged.outcomes] == sorted({*before, *after})
    assert done(merged) == done(old) | done(new)
    for outcome in merged.outcomes:
        place = outcome.sort_index
        newer = after.get(place)
        if newer is not None and (newer.failure is None or place not in done(old)):
            assert outcome is newer
        else:
            assert outcome is before[place]


@given(shards)
def test_a_merge_with_itself_or_nothing_changes_nothing(shard: ShardOutput) -> None:
    nothing = ShardOutput([])
    assert merge(shard, shard) == merge(shard, nothing) == merge(nothing, shard) == shard


@pytest.mark.parametrize("data", [b"", b"nonsense", ShardOutput([]).encode()[:-10]])
def test_damage_is_told(data: bytes) -> None:
    with pytest.raises(SpecError, match="a shard output is unreadable"):
        ShardOutput.decode(data)


def test_frames_of_one_schema_take_little_room() -> None:
    table = pa.table({"x": [1.0, 2.0]})
    many = [Outcome(n, {}, frames={"ts": FrameRows(table)}) for n in range(200)]
    assert len(ShardOutput(many).encode()) < 20_000


def test_specs_of_a_shard_share_the_table_of_their_frames() -> None:
    many = [Outcome(n, {}, frames={"ts": FrameRows(pa.table({"x": [n]}))}) for n in range(3)]
    frames = [o.frames["ts"] for o in ShardOutput.decode(ShardOutput(many).encode()).outcomes]
    assert len({id(frame.stored) for frame in frames}) == 1
    assert [frame.table.to_pydict() for frame in frames] == [{"x": [n]} for n in range(3)]
    assert stored_rows([frames[2], frames[0]]).to_pydict() == {"x": [2, 0]}
    # What is stored again, and the rows of a spec that is no longer there, change nothing.
    other = Outcome(1, {}, frames={"ts": FrameRows(pa.table({"x": [7]}))})
    again = ShardOutput([Outcome(2, {}, frames={"ts": frames[2]}), other])
    back = [o.frames["ts"] for o in ShardOutput.decode(again.encode()).outcomes]
    assert [frame.table.to_pydict() for frame in back] == [{"x": [7]}, {"x": [2]}]


def test_a_long_traceback_is_cut() -> None:
    def deep(n: int) -> None:
        if n:
            deep(n - 1)
        raise ValueError("x" * 10)

    def fails(spec: In) -> Out:
        deep(sys.getrecursionlimit() // 3)
        return Out()

    (outcome,) = run(fails, 1)
    assert len(failure(outcome).traceback) <= 4000
    assert failure(outcome).traceback.endswith("ValueError: xxxxxxxxxx\n")
