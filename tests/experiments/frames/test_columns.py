"""Kinds of columns: a type that holds each value exactly, however values are cut into shards."""

import io
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itemeval_assets.experiments.frames.columns import build, cast
from itemeval_assets.experiments.frames.kinds import Kind
from itemeval_assets.experiments.frames.kinds_of_values import kind_of, kind_of_column

BIG = 2**60 + 1
NS = pd.Timestamp("2024-01-02 03:04:05.123456789")
BERLIN = ZoneInfo("Europe/Berlin")

numbers = st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | st.none()
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
typed = (
    scalars
    | st.dates()
    | st.datetimes(timezones=st.sampled_from([None, UTC, BERLIN]))
    | st.timedeltas(timedelta(days=-9999), timedelta(days=9999))
    | st.times()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.binary()
    | st.integers(-(2**62), 2**62).map(lambda ticks: pd.Timestamp(ticks, unit="ns"))
    | st.integers(-(2**62), 2**62).map(lambda ticks: pd.Timedelta(ticks, unit="ns"))
)


@pytest.mark.parametrize(
    ("values", "kind", "stored"),
    [
        ([None, None], pa.null(), [None, None]),
        ([1, None], pa.int64(), [1, None]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([2**53, 0.5], pa.float64(), [2.0**53, 0.5]),
        ([BIG, 0.5], pa.string(), [str(BIG), "0.5"]),
        ([2**63 - 1], pa.int64(), [2**63 - 1]),
        ([2**64 - 1, 1], pa.uint64(), [2**64 - 1, 1]),
        ([2**64 - 1, -1], pa.string(), [str(2**64 - 1), "-1"]),
        ([2**64, 1], pa.string(), [str(2**64), "1"]),
        ([10**400, 1.5], pa.string(), ["1" + "0" * 400, "1.5"]),
        ([True, None], pa.bool_(), [True, None]),
        ([True, 1], pa.string(), ["true", "1"]),
        ([1, "a", 1.0, None], pa.string(), ["1", "a", "1.0", None]),
        (["\ud800"], pa.string(), ["\\ud800"]),
        ([[1], [2.5, None]], pa.list_(pa.float64()), [[1.0], [2.5, None]]),
        ([[BIG], [2.5]], pa.string(), [f"[{BIG}]", "[2.5]"]),
        ([[[1], []], [[2, 3]]], pa.list_(pa.list_(pa.int64())), [[[1], []], [[2, 3]]]),
        ([[[1]], [2]], pa.string(), ["[[1]]", "[2]"]),
        ([["\ud800"]], pa.string(), ['["\\ud800"]']),
        ([[1], None, []], pa.list_(pa.int64()), [[1], None, []]),
        ([[1], "a"], pa.string(), ["[1]", "a"]),
        ([{"a": 1}, {"a": 2}], pa.struct([("a", pa.int64())]), [{"a": 1}, {"a": 2}]),
        ([{"a": 1}, {"b": 2}], pa.string(), ['{"a": 1}', '{"b": 2}']),
        ([{}], pa.string(), ["{}"]),
        ([{"\ud800": 1}], pa.string(), ['{"\\ud800": 1}']),
        ([[{}, [1]]], pa.string(), ["[{}, [1]]"]),
        ([Decimal("Infinity"), Decimal(1)], pa.string(), ["Infinity", "1"]),
        ([NS, datetime(2024, 1, 1)], pa.timestamp("ns"), [NS, pd.Timestamp("2024-01-01")]),
        ([NS, datetime(9999, 1, 1)], pa.string(), [NS.isoformat(), "9999-01-01T00:00:00"]),
        ([datetime(9999, 1, 1)], pa.timestamp("us"), [datetime(9999, 1, 1)]),
        (
            [date(2024, 1, 2), datetime(2024, 1, 2, 3)],
            pa.string(),
            ["2024-01-02", "2024-01-02T03:00:00"],
        ),
        (
            [datetime(2024, 6, 1, tzinfo=BERLIN), datetime(2024, 6, 1)],
            pa.string(),
            ["2024-06-01T00:00:00+02:00", "2024-06-01T00:00:00"],
        ),
        (
            [datetime(2024, 6, 1, tzinfo=BERLIN)],
            pa.timestamp("us", "Europe/Berlin"),
            [datetime(2024, 6, 1, tzinfo=BERLIN)],
        ),
        ([time(1, 2, tzinfo=UTC)], pa.string(), ["01:02:00+00:00"]),
        ([time(1, 2)], pa.time64("us"), [time(1, 2)]),
        ([pd.Timedelta(1), timedelta(1)], pa.duration("ns"), [pd.Timedelta(1), pd.Timedelta("1D")]),
        (
            [Decimal("1.5"), Decimal("10.25")],
            pa.decimal128(4, 2),
            [Decimal("1.50"), Decimal("10.25")],
        ),
        ([Decimal("1.5"), 2], pa.string(), ["1.5", "2"]),
        ([b"\xff", None], pa.binary(), [b"\xff", None]),
    ],
)
def test_what_values_become(values: list[Any], kind: pa.DataType, stored: list[Any]) -> None:
    assert kind_of(values).arrow() == kind
    assert build(values, kind).to_pylist() == stored


@pytest.mark.parametrize(
    ("values", "has_nulls", "kind"),
    [
        ([1], True, pa.int64()),
        ([2**53], True, pa.int64()),
        ([BIG], False, pa.int64()),
        ([BIG], True, pa.string()),
        ([-BIG], True, pa.string()),
        ([2**63], True, pa.string()),
        ([[1]], False, pa.string()),
        ([{"a": 1}], False, pa.string()),
    ],
)
def test_a_level_of_an_index_is_exact_and_can_be_hashed(
    values: list[Any], has_nulls: bool, kind: pa.DataType
) -> None:
    assert kind_of(values).arrow_of_level(has_nulls) == kind


@given(st.lists(json_values))
def test_any_values_can_be_stored(values: list[Any]) -> None:
    column = build(values, kind_of(values).arrow())
    pq.write_table(pa.table({"a": column}), io.BytesIO())
    assert [value is None for value in column.to_pylist()] == [value is None for value in values]


@given(st.lists(json_values | typed), st.integers(min_value=0))
@example([{}, {"": None}], 1)
@example([Decimal("0.000"), Decimal("1.000")], 1)
def test_the_cut_into_shards_does_not_matter(values: list[Any], at: int) -> None:
    cut = at % (len(values) + 1)
    parts = (values[:cut], values[cut:])
    whole, joined = kind_of(values), reduce(or_, map(kind_of, parts))
    kind = whole.arrow()
    assert joined.arrow() == kind
    for has_nulls in (True, False):
        assert joined.arrow_of_level(has_nulls) == whole.arrow_of_level(has_nulls)
    stored = [value for part in parts for value in build(part, kind).to_pylist()]
    assert str(stored) == str(build(values, kind).to_pylist())


@given(st.lists(st.lists(typed, max_size=3) | typed, max_size=4), st.integers(min_value=0))
def test_columns_of_shards_are_joined_as_their_values_are(values: list[Any], at: int) -> None:
    """As with frames: each part has been stored as a column of its own before."""
    cut = at % (len(values) + 1)
    parts = [build(part, kind_of(part).arrow()) for part in (values[:cut], values[cut:])]
    kind = reduce(or_, map(kind_of_column, parts)).arrow()
    stored = [value for part in parts for value in cast(part, kind).to_pylist()]
    if kind == kind_of(values).arrow():
        assert str(stored) == str(build(values, kind).to_pylist())
    else:
        # Only what was text in a part already makes the whole text, or leaves it text.
        assert pa.types.is_string(kind)


@given(st.lists(numbers))
def test_numbers_keep_their_values(values: list[Any]) -> None:
    stored = build(values, kind_of(values).arrow()).to_pylist()
    assert [v if v is None else type(w)(v) for v, w in zip(stored, values, strict=True)] == values


COLUMNS = [
    pa.array([None, None]),
    pa.array([True, None]),
    pa.array([1, None], pa.int8()),
    pa.array([-1, BIG], pa.int64()),
    pa.array([1], pa.uint64()),
    pa.array([2**64 - 1], pa.uint64()),
    pa.array([1.5, math.inf], pa.float32()),
    pa.array([None], pa.float64()),
    pa.array(["a", None], pa.large_string()),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([date(2024, 1, 2)]),
    pa.array([datetime(9999, 1, 1), None], pa.timestamp("s")),
    pa.array([1000, 2000], pa.timestamp("ns")),
    pa.array([1], pa.timestamp("ns")),
    pa.array([datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
    pa.array([1], pa.duration("s")),
    pa.array([1], pa.duration("ns")),
    pa.array([Decimal("1.5")]),
    pa.array([Decimal("1" * 38)]),
    pa.array([b"x"]),
    pa.array([[1], None]),
    pa.array([[BIG]]),
    pa.array([[1.5]]),
    pa.array([[]], pa.list_(pa.null())),
    pa.array([{"a": 1}]),
    pa.array([{"a": 1.5}]),
    pa.array([{"b": 1}]),
    pa.array([[None]], pa.list_(pa.float64())),
    pa.array([["x"], [NS.isoformat()]]),
    pa.array([[NS]], pa.list_(pa.timestamp("ns"))),
]


def typed_id(column: pa.Array) -> str:
    return f"{column.type} {column[0]}"


@pytest.mark.parametrize("one", COLUMNS, ids=typed_id)
def test_any_two_columns_have_a_type_that_holds_both_exactly(one: pa.Array) -> None:
    for other in COLUMNS:
        both = kind_of_column(one) | kind_of_column(other)
        kind = both.arrow()
        assert kind == (kind_of_column(other) | kind_of_column(one)).arrow(), typed_id(other)
        assert both | both == both, typed_id(other)
        for column in (one, other):
            done = cast(column, kind)
            assert done.type == kind, typed_id(other)
            back = [v if v is None else _key(v) for v in done.to_pylist()]
            given_values = column.to_pylist()
            if pa.types.is_string(kind):
                assert back == build(given_values, kind).to_pylist(), typed_id(other)
            else:
                expected = [v if v is None else _key(v) for v in given_values]
                assert back == expected, typed_id(other)


def _key(value: Any) -> Any:
    """A value to compare by: equal for instants and durations of several units."""
    return pd.Timestamp(value) if type(value) is datetime and value.year < 2262 else value


def test_integers_of_several_widths_are_the_widest_that_is_needed() -> None:
    def joined(*columns: pa.Array) -> pa.DataType:
        return reduce(or_, map(kind_of_column, columns), Kind()).arrow()

    assert joined(pa.array([1], pa.int8()), pa.array([1], pa.int16())) == pa.int16()
    assert joined(pa.array([1], pa.uint8()), pa.array([-1], pa.int8())) == pa.int64()
    assert joined(pa.array([1], pa.uint64()), pa.array([-1], pa.int64())) == pa.int64()
    assert joined(pa.array([2**63], pa.uint64()), pa.array([1], pa.int64())) == pa.uint64()
    assert joined(pa.array([2**63], pa.uint64()), pa.array([-1], pa.int64())) == pa.string()
    # A column of missing values takes no part: pandas makes it one of floats.
    assert joined(pa.array([BIG]), pa.array([None], pa.float64())) == pa.int64()


def test_text_of_other_types_is_what_a_person_writes() -> None:
    text = pa.string()
    assert cast(pa.array([1.0, 2.5]), text).to_pylist() == ["1.0", "2.5"]
    assert cast(pa.array([date(2024, 1, 2)]), text).to_pylist() == ["2024-01-02"]
    assert cast(pa.array([True, None]), text).to_pylist() == ["true", None]
    assert cast(pa.array([[1, 2]]), text).to_pylist() == ["[1, 2]"]


FAR = [
    (pa.array([2**60, None], pa.duration("s")), "13343998895912 days 13:56:16"),
    (pa.array([2**45, None], pa.timestamp("s")), "1116918-05-14T19:20:32"),
    (pa.array([-(2**45), None], pa.timestamp("s")), "-1112979-08-20T04:39:28"),
    (pa.array([2**45, None], pa.timestamp("s", "Asia/Tokyo")), "1116918-05-14T19:20:32+00:00"),
    (pa.array([10**9, None], pa.int32()).view(pa.date32()), "2739877-01-03"),
    (pa.array([10**17, None], pa.int64()).view(pa.date64()), "3170843-11-07"),
    (pa.array([[2**45], None], pa.list_(pa.timestamp("s"))), '["1116918-05-14T19:20:32"]'),
    (
        pa.array([{"a": 2**60}, None], pa.struct([("a", pa.duration("s"))])),
        '{"a": "13343998895912 days 13:56:16"}',
    ),
]


@pytest.mark.parametrize(("far", "text"), FAR, ids=lambda value: str(getattr(value, "type", "")))
def test_instants_and_durations_beyond_those_of_python_stand_beside_any_column(
    far: pa.Array, text: str
) -> None:
    for other in COLUMNS:
        kind = (kind_of_column(far) | kind_of_column(other)).arrow()
        stored = [cast(column, kind) for column in (far, other)]
        assert [column.type for column in stored] == [kind, kind]
        assert not pa.types.is_string(kind) or stored[0].to_pylist() == [text, None]
        assert cast(stored[0], pa.string()).to_pylist() == [text, None]  # no value has changed


def test_instants_and_durations_that_no_common_unit_holds_are_text() -> None:
    spells = pa.array([2**60], pa.duration("s")), pa.array([1], pa.duration("us"))
    instants = pa.array([2**60], pa.timestamp("s")), pa.array([1], pa.timestamp("ms"))
    for one, other in (spells, instants):
        assert (kind_of_column(one) | kind_of_column(other)).arrow() == pa.string()


@pytest.mark.parametrize(
    ("far", "text"),
    [
        (np.datetime64("290000-01-01", "s"), "290000-01-01T00:00:00"),
        (np.timedelta64(2**60, "s"), "13343998895912 days 13:56:16"),
    ],
)
def test_cells_beyond_the_years_of_python_are_text(far: Any, text: str) -> None:
    values = [pd.Timestamp(far) if isinstance(far, np.datetime64) else pd.Timedelta(far), None]
    kind = kind_of(values).arrow()
    assert build(values, kind).to_pylist() == [text, None]


def test_times_to_the_nanosecond_and_far_instants_in_dicts_are_text() -> None:
    times = pa.array([123456789, 1000, 10**9, None], pa.time64("ns"))
    assert kind_of_column(times).arrow() == pa.string()
    texts = ["00:00:00.123456789", "00:00:00.000001", "00:00:01", None]
    assert cast(times, pa.string()).to_pylist() == texts
    assert kind_of_column(times[1:]).arrow() == pa.time64("ns")
    dicts = pa.array([{"a": 2**45}], pa.struct([("a", pa.timestamp("s"))]))
    assert kind_of_column(dicts).arrow() == pa.string()
    assert cast(dicts, pa.string()).to_pylist() == ['{"a": "1116918-05-14T19:20:32"}']


def test_days_that_pandas_does_not_read_are_text() -> None:
    assert kind_of_column(pa.array([10**9], pa.int32()).view(pa.date32())).arrow() == pa.string()
    assert kind_of_column(pa.array([date.max, date.min])).arrow() == pa.date32()
    assert kind_of_column(pa.array([date.max, date.min], pa.date64())).arrow() == pa.date64()
