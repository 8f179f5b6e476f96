"""Specs on the way to the workers (exact), and as a table (for people, and as exact as can be)."""

import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, computed_field

from itemeval_assets.core.errors import StoreError
from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.frames.specs_table import read_specs, specs_table
from itemeval_assets.experiments.spec.files import FileReference
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.experiments.spec.transport import (
    decode_specs,
    encode_specs,
    require_serialisable,
)


class Kind(Enum):
    one = 1
    text = "text"


class Part(BaseModel):
    size: float
    names: list[str] = []


class In(ExperimentInputSpec):
    number: float = 0.0
    count: int | None = None
    mixed: int | str | bool | float | None = None
    text: str = ""
    kind: Kind = Kind.one
    day: date | None = None
    moment: datetime | None = None
    spell: timedelta | None = None
    price: Decimal | None = None
    id: UUID | None = None
    pair: tuple[int, str] = (1, "a")
    values: list[float] = Field(default_factory=list)
    table: dict[str, int | None] = Field(default_factory=dict)
    tags: set[int] = Field(default_factory=set)
    part: Part | None = None
    either: int | list[int] | None = None
    file: FileReference | None = None

    @computed_field
    @property
    def shown(self) -> str:
        return self.text.upper()


texts = st.text(st.characters(exclude_categories=["Cs"]))
specs = st.builds(
    In,
    sort_index=st.integers(0, 2**62),
    workflow_run_id=st.none() | texts,
    number=st.floats(allow_nan=False),
    count=st.none() | st.integers(),
    mixed=st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    text=texts,
    kind=st.sampled_from(Kind),
    day=st.none() | st.dates(),
    moment=st.none() | st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    spell=st.none() | st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
    price=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    id=st.none() | st.uuids(),
    pair=st.tuples(st.integers(), texts),
    values=st.lists(st.floats(allow_nan=False), max_size=3),
    table=st.dictionaries(texts, st.none() | st.integers(), max_size=3),
    tags=st.sets(st.integers(), max_size=3),
    part=st.none() | st.builds(Part, size=st.floats(allow_nan=False), names=st.lists(texts)),
    either=st.none() | st.integers() | st.lists(st.integers(), max_size=2),
    file=st.none() | st.sampled_from(["s3://b/a b#c", "https://e.org/a?b", "folder/a b.txt"]),
)


@given(st.lists(specs, max_size=5))
def test_workers_get_the_specs_exactly(given_specs: list[In]) -> None:
    returned = decode_specs(encode_specs(given_specs), In)
    assert returned == given_specs
    assert [type(spec.mixed) for spec in returned] == [type(spec.mixed) for spec in given_specs]
    require_serialisable(given_specs)


@given(st.lists(specs, max_size=5))
def test_the_table_gives_the_specs_back(given_specs: list[In]) -> None:
    assert read_specs(specs_table(given_specs), In) == given_specs


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.0, 5e-324, 0.1 + 0.2])
def test_floats_are_exact(value: float) -> None:
    spec = In(number=value, mixed=value, values=[value, 1.0])
    for returned in (
        decode_specs(encode_specs([spec]), In)[0],
        read_specs(specs_table([spec]), In)[0],
    ):
        assert str((returned.number, returned.mixed, returned.values)) == str(
            (value, value, [value, 1.0])
        )


def test_anything_keeps_its_infinities() -> None:
    class Open(ExperimentInputSpec):
        anything: Any = None

    spec = Open(anything={"a": [float("inf"), 2**80]})
    assert decode_specs(encode_specs([spec]), Open) == [spec]


def test_a_strict_spec_passes_too() -> None:
    class Strict(ExperimentInputSpec):
        model_config = ConfigDict(strict=True)
        day: date
        tags: set[int]
        pair: tuple[int, int]
        alias: int = Field(alias="Alias")

    spec = Strict.model_validate({"day": date(2024, 1, 2), "tags": {1}, "pair": (1, 2), "Alias": 3})
    require_serialisable([spec])
    assert decode_specs(encode_specs([spec]), Strict) == [spec]
    assert read_specs(specs_table([spec]), Strict) == [spec]


def test_pandas_reads_the_table_with_a_plain_index() -> None:
    rows = [
        In(sort_index=0, count=1, mixed="a", values=[1.0], file="s3://b/a b#c", table={"a": 1}),
        In(sort_index=1, count=None, mixed=2, values=[], table={"b": 2}),
    ]
    data = specs_table(rows)
    frame = pd.read_parquet(io.BytesIO(data), use_threads=False)
    assert list(frame.columns) == list(In.model_fields)
    assert frame.index.equals(pd.RangeIndex(2))
    metadata = pq.read_schema(io.BytesIO(data)).pandas_metadata
    assert metadata["index_columns"] == [
        {"kind": "range", "name": None, "start": 0, "stop": 2, "step": 1}
    ]
    assert list(frame["file"]) == ["s3://b/a b#c", None] or pd.isna(frame["file"][1])
    assert frame["count"].dtype == "Int64"
    assert [list(values) for values in frame["values"]] == [[1.0], []]
    assert list(frame["table"]) == ['{"a": 1}', '{"b": 2}']
    assert list(frame["mixed"]) == ['"a"', "2"]


def test_no_specs_are_a_table_of_no_rows() -> None:
    frame = pd.read_parquet(io.BytesIO(specs_table([])), use_threads=False)
    assert (len(frame), list(frame.columns)[:2]) == (0, ["experiment_id", "sort_index"])


def test_a_table_that_pandas_wrote_is_read() -> None:
    class Small(ExperimentInputSpec):
        temperature: float
        material: str
        sizes: list[int]
        settings: dict[str, Any] | None = None

    frame = pd.DataFrame(
        {
            "experiment_id": ["e/v1.0.0/t"] * 2,
            "sort_index": [0, 1],
            "workflow_run_id": [None, None],
            "storage_settings": [None, None],
            "temperature": [1.0, 2.0],
            "material": ["steel", "wood"],
            "sizes": [[1], [2, 3]],
        }
    )
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    assert read_specs(buffer.getvalue(), Small) == [
        Small(experiment_id="e/v1.0.0/t", temperature=1, material="steel", sizes=[1]),
        Small(
            experiment_id="e/v1.0.0/t", sort_index=1, temperature=2, material="wood", sizes=[2, 3]
        ),
    ]


def test_what_is_no_spec_is_refused_with_its_place() -> None:
    class Other(ExperimentInputSpec):
        needed: int

    with pytest.raises(SpecError, match=r"row 0 of specs\.pq is no Other"):
        read_specs(specs_table([In()]), Other)
    with pytest.raises(SpecError, match="line 1 is no Other"):
        decode_specs(encode_specs([In()]), Other)
    with pytest.raises(StoreError, match=r"s3://b/specs\.pq is no readable Parquet"):
        read_specs(b"nonsense", In, "s3://b/specs.pq")


class _Thing:
    pass


def test_a_value_without_a_json_form_is_named() -> None:
    class Open(ExperimentInputSpec):
        text: str = ""
        anything: Any = None

    for value in (_Thing(), b"\xff", "\ud800", {"a": {"b": _Thing()}}):
        with pytest.raises(SpecError, match=r"spec 1: Open\.anything cannot be stored"):
            require_serialisable([Open(), Open(anything=value)])
    with pytest.raises(SpecError, match=r"Open\.text cannot be stored"):
        encode_specs([Open(text="\ud800")])


def test_a_field_that_would_not_travel_is_refused() -> None:
    class Hidden(ExperimentInputSpec):
        secret: int = Field(exclude=True)

    with pytest.raises(SpecError, match=r"Hidden\.secret is declared with `exclude`"):
        require_serialisable([Hidden(secret=1)])


@pytest.mark.parametrize(("field", "value"), [("moment", pd.Timestamp), ("spell", pd.Timedelta)])
def test_nanoseconds_that_would_not_reach_the_function_are_refused(field: str, value: Any) -> None:
    require_serialisable([In(**{field: value(1000)})])
    with pytest.raises(SpecError, match=rf"spec 1: In\.{field} would reach the function as"):
        require_serialisable([In(), In(**{field: value(1)})])


def test_a_value_of_numpy_is_refused_with_what_to_give() -> None:
    class Open(ExperimentInputSpec):
        anything: Any = None

    with pytest.raises(
        SpecError, match=r"Open\.anything cannot be stored: .*give it plain numbers"
    ):
        require_serialisable([Open(anything=np.arange(2))])


def test_a_value_that_changes_on_the_way_is_refused() -> None:
    class Doubled(ExperimentInputSpec):
        size: Annotated[int, AfterValidator(lambda size: 2 * size)]

    with pytest.raises(SpecError, match=r"Doubled\.size would reach the function as 4, not as 2"):
        require_serialisable([Doubled(size=1)])

    class Either(ExperimentInputSpec):
        when: date | str

    with pytest.raises(SpecError, match=r"Either\.when would reach the function as '2024-01-02'"):
        require_serialisable([Either(when="2024-01-02"), Either(when=date(2024, 1, 2))])

    spec = In(tags={3, 1, 2}, values=[float("nan")])
    require_serialisable([spec])


def test_features_are_checked_before_anything_is_sent() -> None:
    class Bad(ExperimentInputSpec):
        a: int

        @property
        def computed_features(self) -> Mapping[str, Any]:
            return {"inverse": 1 / self.a, "values": [1]}

    with pytest.raises(SpecError, match=r"spec 0: .* raises ZeroDivisionError"):
        require_serialisable([Bad(a=0)])
    with pytest.raises(SpecError, match="spec 0: Bad: the computed feature 'values'"):
        require_serialisable([Bad(a=1)])


def test_the_table_has_arrow_types_where_it_can() -> None:
    schema = pq.read_schema(io.BytesIO(specs_table([In(part=Part(size=1)), In()])))
    assert schema.field("part").type == pa.struct(
        [("size", pa.float64()), ("names", pa.list_(pa.field("element", pa.null())))]
    )
