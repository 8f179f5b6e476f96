"""Types of columns: a rule that never fails, and does not depend on how values are cut."""

import io
import math
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemeval_assets.experiments.columns import build, cast, infer, unify

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(
    [
        pa.null(),
        pa.bool_(),
        pa.int8(),
        pa.int64(),
        pa.uint64(),
        pa.float32(),
        pa.float64(),
        pa.string(),
        pa.large_string(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.date32(),
        pa.timestamp("ns"),
        pa.timestamp("s"),
        pa.timestamp("us", "UTC"),
        pa.binary(),
        pa.decimal128(5, 2),
        pa.list_(pa.int64()),
        pa.list_(pa.float64()),
        pa.large_list(pa.string()),
        pa.struct([("a", pa.int64())]),
        pa.struct([("b", pa.int64())]),
    ]
)


@pytest.mark.parametrize(
    ("values", "kind", "stored"),
    [
        ([None, None], pa.null(), [None, None]),
        ([1, None], pa.int64(), [1, None]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([2**60 + 1, 0.5], pa.float64(), [float(2**60), 0.5]),
        ([2**63 - 1], pa.int64(), [2**63 - 1]),
        ([2**63, 1], pa.string(), ["9223372036854775808", "1"]),
        ([10**400, 1.5], pa.string(), ["1" + "0" * 400, "1.5"]),
        ([True, None], pa.bool_(), [True, None]),
        ([True, 1], pa.string(), ["true", "1"]),
        ([1, "a", 1.0, None], pa.string(), ["1", "a", "1.0", None]),
        (["\ud800"], pa.string(), ["\\ud800"]),
        ([[1], [2.5]], pa.string(), ["[1]", "[2.5]"]),
        ([[1], None, []], pa.list_(pa.int64()), [[1], None, []]),
        ([[1], "a"], pa.string(), ["[1]", "a"]),
        ([{"a": 1}, {"a": 2}], pa.struct([("a", pa.int64())]), [{"a": 1}, {"a": 2}]),
        ([{"a": 1}, {"b": 2}], pa.string(), ['{"a": 1}', '{"b": 2}']),
        ([{}], pa.string(), ["{}"]),
    ],
)
def test_what_values_become(values: list[Any], kind: pa.DataType, stored: list[Any]) -> None:
    assert infer(values) == kind
    assert build(values, kind).to_pylist() == stored


@given(st.lists(json_values))
def test_any_values_can_be_stored(values: list[Any]) -> None:
    column = build(values, infer(values))
    pq.write_table(pa.table({"a": column}), io.BytesIO())
    assert [value is None for value in column.to_pylist()] == [value is None for value in values]


@given(st.lists(scalars), st.integers(min_value=0))
def test_the_cut_into_shards_does_not_matter(values: list[Any], at: int) -> None:
    cut = at % (len(values) + 1)
    kind = infer(values)
    parts = (values[:cut], values[cut:])
    assert unify(map(infer, parts)) == kind
    joined = [value for part in parts for value in build(part, kind).to_pylist()]
    assert str(joined) == str(build(values, kind).to_pylist())


@given(st.lists(st.integers() | st.floats(allow_nan=False) | st.none()))
def test_numbers_keep_their_values(values: list[Any]) -> None:
    kind = infer(values)
    if not pa.types.is_string(kind):
        stored = build(values, kind).to_pylist()
        wanted = [v if v is None or kind == pa.int64() else float(v) for v in values]
        assert stored == wanted


@given(st.lists(kinds))
def test_the_common_type_ignores_order_and_repetition(types: list[pa.DataType]) -> None:
    common = unify(types)
    assert unify([*types, *types]) == common
    assert unify([common, common]) == common


@given(kinds, kinds)
def test_the_common_type_of_two_ignores_their_order(one: pa.DataType, other: pa.DataType) -> None:
    assert unify([one, other]) == unify([other, one])


COLUMNS = [
    pa.array([None, None]),
    pa.array([True, None]),
    pa.array([1, None], pa.int8()),
    pa.array([2**64 - 1], pa.uint64()),
    pa.array([1.5, math.inf], pa.float32()),
    pa.array(["a", None], pa.large_string()),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([date(2024, 1, 2)]),
    pa.array([datetime(9999, 1, 1), None], pa.timestamp("s")),
    pa.array([1], pa.timestamp("ns")),
    pa.array([datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
    pa.array([b"x"]),
    pa.array([[1], None]),
    pa.array([[1.5]]),
    pa.array([{"a": 1}]),
]


@pytest.mark.parametrize("one", COLUMNS, ids=lambda column: str(column.type))
@pytest.mark.parametrize("other", COLUMNS, ids=lambda column: str(column.type))
def test_any_two_columns_have_a_common_type(one: pa.Array, other: pa.Array) -> None:
    kind = unify([one.type, other.type])
    for column in (one, other):
        done = cast(column, kind)
        assert done.type == kind
        assert done.is_null().to_pylist() == column.is_null().to_pylist()


def test_text_of_other_types_is_what_a_person_writes() -> None:
    text = pa.string()
    assert cast(pa.array([1.0, 2.5]), text).to_pylist() == ["1.0", "2.5"]
    assert cast(pa.array([date(2024, 1, 2)]), text).to_pylist() == ["2024-01-02"]
    assert cast(pa.array([True, None]), text).to_pylist() == ["true", None]
    assert cast(pa.array([[1, 2]]), text).to_pylist() == ["[1, 2]"]
