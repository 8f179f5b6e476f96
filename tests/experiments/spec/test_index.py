"""The index of a spec: which levels, in which order, of which values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.spec.files import FileReference
from itemeval_assets.experiments.spec.index import BASE_LEVELS, index_of, merged_order
from itemeval_assets.experiments.spec.models import ExperimentInputSpec


class Kind(Enum):
    wide = "w"


class Part(BaseModel):
    a: int = 1


class In(ExperimentInputSpec):
    temperature: float
    weather: FileReference | None = None
    values: list[int] = Field(default_factory=lambda: [1])
    names: dict[str, int] | None = None
    pair: tuple[int, int] = (1, 2)
    tags: set[str] = Field(default_factory=set)
    more: Sequence[int] = ()
    mapping: Mapping[str, int] = Field(default_factory=dict)
    part: Part = Part()
    either: int | list[int] = 3
    anything: Any = None
    day: datetime = datetime(2024, 1, 2, 3)
    kind: Kind = Kind.wide
    note: str | None = None
    path: Path = Path("a/b")

    @property
    def computed_features(self) -> Mapping[str, Any]:
        return {"celsius": np.float64(self.temperature - 273.15), "n": np.int64(2), "hot": True}


def test_the_levels_are_in_the_order_of_the_rule() -> None:
    spec = In(temperature=300.15, experiment_id="e/v1.0.0/t", sort_index=4, workflow_run_id="w")
    levels = index_of(spec, {"repeat": 1}, sort_subindex=7)
    assert levels == {
        "experiment_id": "e/v1.0.0/t",
        "sort_index": 4,
        "workflow_run_id": "w",
        "root_workflow_run_id": None,
        "temperature": 300.15,
        "anything": None,
        "day": "2024-01-02T03:00:00",
        "kind": "w",
        "note": None,
        "path": "a/b",
        "celsius": pytest.approx(27.0),
        "n": 2,
        "hot": True,
        "repeat": 1,
        "sort_subindex": 7,
    }
    assert list(levels) == [
        *BASE_LEVELS,
        *("temperature", "anything", "day", "kind", "note", "path"),
        *("celsius", "n", "hot"),
        "repeat",
        "sort_subindex",
    ]
    assert type(levels["n"]) is int


def test_files_and_containers_are_left_out_by_value_too() -> None:
    spec = In(temperature=1, weather="s3://b/k", anything=[1])
    assert {"weather", "anything", "either"}.isdisjoint(index_of(spec))
    assert index_of(In(temperature=1, anything="x"))["anything"] == "x"


def test_fields_beyond_the_declared_ones_come_after_them() -> None:
    class Open(ExperimentInputSpec):
        model_config = ConfigDict(extra="allow")
        a: int

        @property
        def computed_features(self) -> Mapping[str, Any]:
            return {"c": 1}

    spec = Open.model_validate({"zeta": 1, "a": 2, "beta": [1]})
    assert list(index_of(spec))[4:] == ["a", "zeta", "c"]


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"f": [1]}, r"One: the computed feature 'f' is \[1\] of type list; .* must be a scalar"),
        ({"f": object()}, "of type object"),
        ({"f": np.array([1])}, "of type ndarray"),
        ({"a": 1}, "the computed feature 'a' has the name of a field"),
        ({"values": 1}, "the computed feature 'values' has the name of a field"),
        ({"sort_index": 1}, "the computed feature 'sort_index' has the name"),
        ({"sort_subindex": 1}, "the computed feature 'sort_subindex' has the name"),
        ({3: 1}, "needs text as its name"),
        ({"\ud800": 1}, "needs text as its name"),
        (None, "One: computed features are None of type NoneType; give a dict of scalars"),
        ([("f", 1)], "of type list; give a dict of scalars by name"),
        (lambda: {}, "computed features are a method; declare it with @property"),
        ({"f": {1}}, "of type set"),
    ],
)
def test_features_that_cannot_be_levels_are_refused(features: Any, says: str) -> None:
    class One(ExperimentInputSpec):
        a: int = 1
        values: list[int] = Field(default_factory=list)

        @property
        def computed_features(self) -> Mapping[str, Any]:
            return features

    with pytest.raises(SpecError, match=says):
        index_of(One())


def test_instants_of_pandas_keep_their_nanoseconds() -> None:
    when = pd.Timestamp("2024-01-01T00:00:00.000000001")
    levels = index_of(
        In(temperature=1), {"when": when, "none": pd.NaT, "us": np.datetime64(when.isoformat())}
    )
    assert levels["when"] == levels["us"] == "2024-01-01T00:00:00.000000001"
    assert levels["none"] is None


def test_additional_levels_do_not_clash() -> None:
    with pytest.raises(SpecError, match="additional index level 'celsius' has the name"):
        index_of(In(temperature=1), {"celsius": 1})


def test_a_multiindex_of_rows() -> None:
    spec = In(temperature=1, sort_index=2)
    one = spec.make_multiindex()
    assert list(one.names) == list(index_of(spec))
    many = spec.make_multiindex([{"hour": h} for h in (5, 6, 7)], n_rows=3)
    assert list(many.names)[-2:] == ["hour", "sort_subindex"]
    assert list(many.get_level_values("hour")) == [5, 6, 7]
    assert list(many.get_level_values("sort_subindex")) == [0, 1, 2]
    assert "sort_subindex" not in spec.make_multiindex(n_rows=3, include_sort_subindex=False).names
    empty = spec.make_multiindex(n_rows=0)
    assert len(empty) == 0
    assert isinstance(empty, pd.MultiIndex)
    with pytest.raises(SpecError, match="has 1 rows, n_rows is 2"):
        spec.make_multiindex([{"hour": 1}], n_rows=2)


def test_new_names_come_after_the_one_before_them() -> None:
    assert merged_order([["a", "b"], ["a", "x", "b", "y"], ["z"]]) == ["z", "a", "x", "b", "y"]


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True)))
def test_an_order_is_that_of_inserting_one_by_one(orders: list[list[str]]) -> None:
    wanted: list[str] = []
    for order in orders:
        for before, name in zip([None, *order], order, strict=False):
            if name not in wanted:
                wanted.insert(0 if before is None else wanted.index(before) + 1, name)
    assert merged_order(orders) == wanted


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True)))
def test_an_order_holds_each_name_once(orders: list[list[str]]) -> None:
    merged = merged_order(orders)
    assert sorted(merged) == sorted({name for order in orders for name in order})
    # One order that all agree with is kept.
    full = sorted(merged)
    assert merged_order([full, *(sorted(order) for order in orders)]) == full
