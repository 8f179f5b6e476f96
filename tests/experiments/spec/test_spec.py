"""Specs of users: refused mistakes, the interface as JSON Schema, the function's signature."""

import re
from collections.abc import Callable
from datetime import date
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.spec.files import FileReference
from itemeval_assets.experiments.spec.io_schema import io_schema
from itemeval_assets.experiments.spec.models import (
    ExperimentInputSpec,
    ExperimentOutputSpec,
    scalar_fields,
)
from itemeval_assets.experiments.spec.signature import Signature, signature_of


class Material(Enum):
    steel = "steel"
    aluminum = "aluminum"


class In(ExperimentInputSpec):
    temperature: float = Field(description="Kelvin.", ge=0, le=2000)
    material: Material = Material.steel
    weather: FileReference | None = Field(default=None, description="Hourly weather.")


class Out(ExperimentOutputSpec):
    energy: float = Field(description="Joule.")
    report: FileReference | None = None

    @computed_field
    @property
    def double(self) -> float:
        return 2 * self.energy


def test_the_fields_of_a_run_come_first_and_need_no_values() -> None:
    assert list(In.model_fields)[:4] == [
        "experiment_id",
        "sort_index",
        "workflow_run_id",
        "root_workflow_run_id",
    ]
    spec = In(temperature=300.5)
    assert (spec.experiment_id, spec.sort_index, spec.workflow_run_id) == ("", 0, None)
    with pytest.raises(ValidationError):
        In(temperature=300.5, sort_index=-1)


def test_a_misspelt_field_is_refused_with_the_near_one() -> None:
    with pytest.raises(ValidationError) as caught:
        In.model_validate({"temprature": 300.5, "weather": "{a}"})
    text = str(caught.value)
    assert "In has no field 'temprature'; did you mean 'temperature'?" in text
    assert "temperature\n  Field required" in text
    with pytest.raises(ValidationError, match="its fields are: dataframes, energy, report"):
        Out.model_validate({"energy": 1, "zzz": 2})


def test_a_misspelt_field_of_a_nested_model_keeps_its_place() -> None:
    class Part(BaseModel):
        model_config = ConfigDict(extra="forbid")
        a: int

    class Whole(ExperimentInputSpec):
        part: Part

    with pytest.raises(ValidationError) as caught:
        Whole.model_validate({"part": {"a": 1, "b": 2}})
    assert [problem["loc"] for problem in caught.value.errors()] == [("part", "b")]


def test_files_in_a_list_are_refused_when_the_class_is_made() -> None:
    with pytest.raises(
        SpecError, match=r"Wrong\.files: a FileReference must be a field of its own"
    ):

        class Wrong(ExperimentInputSpec):
            files: list[FileReference]


def test_the_name_of_the_row_number_is_taken() -> None:
    with pytest.raises(SpecError, match=r"Wrong\.sort_subindex: this is the name of the index"):

        class Wrong(ExperimentInputSpec):
            sort_subindex: int


def test_a_file_is_fetched_by_name_or_value(tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    file.write_text("x")
    local = In(temperature=1, weather=file)
    assert local.fetch("weather") == local.fetch(file) == file

    remote = In(temperature=1, weather="s3://bucket/a b.csv")
    with pytest.raises(SpecError, match="only while a run works on the spec"):
        remote.fetch("weather")
    asked: list[str] = []

    def fetch(uri: str) -> Path:
        asked.append(uri)
        return file

    remote._fetch = fetch
    assert remote.fetch("weather") == file
    assert remote.fetch("https://example.org/a") == file
    assert asked == ["s3://bucket/a b.csv", "https://example.org/a"]
    assert "_fetch" not in remote.model_dump()

    with pytest.raises(SpecError, match=r"In\.weather: no file is given"):
        In(temperature=1).fetch("weather")
    with pytest.raises(SpecError, match="does not exist"):
        In(temperature=1, weather=tmp_path / "none").fetch("weather")


@pytest.mark.parametrize("name", ["scalars", "result_file_refs", "errors"])
def test_names_of_our_tables_are_taken(name: str) -> None:
    with pytest.raises(SpecError, match=r"Out\.dataframes: .* is taken by a table of every run"):
        Out(energy=1, dataframes={name: pd.DataFrame()})


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden", "a b", "ä", "a\n", 3])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match=r"Out\.dataframes: .* may hold letters"):
        Out(energy=1, dataframes={name: pd.DataFrame()})


@pytest.mark.parametrize("name", ["my_errors", "error", "a.b-c", "0"])
def test_other_names_are_fine(name: str) -> None:
    assert list(Out(energy=1, dataframes={name: pd.DataFrame()}).dataframes) == [name]


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ({"a": [1, 2]}, "Out.dataframes: frame 'a' is no DataFrame but list; make it one"),
        (None, "Out.dataframes is of type NoneType; give a dict of frames by name"),
        ([pd.DataFrame()], "Out.dataframes is of type list"),
        (pd.DataFrame(), "Out.dataframes is of type DataFrame"),
    ],
)
def test_what_is_no_frame_is_refused(frames: Any, says: str) -> None:
    with pytest.raises(SpecError, match=re.escape(says)):
        Out.model_validate({"energy": 1, "dataframes": frames})


@pytest.mark.parametrize("base", [ExperimentInputSpec, ExperimentOutputSpec])
@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        (np.float64, "numpy.float64 has no JSON form; declare float"),
        (list[np.int32] | None, "numpy.int32 has no JSON form; declare int"),
        (np.bool_, "declare bool"),
        (np.ndarray, "numpy.ndarray has no JSON form; declare a list"),
        (dict[str, pd.Timestamp], "pandas.Timestamp has no JSON form; declare datetime.datetime"),
        (np.timedelta64, "declare datetime.timedelta"),
        (pd.DataFrame, "a frame of an output goes into `dataframes`"),
        (partial, "partial has no JSON form; declare text, numbers"),
    ],
)
@pytest.mark.parametrize("arbitrary", [False, True])
def test_a_type_without_a_json_form_is_named_with_what_to_declare(
    base: Any, annotation: Any, says: str, arbitrary: bool
) -> None:
    """When the class is made, or, where it allows any type, when it is registered."""
    with pytest.raises(SpecError, match=rf"Wrong\.thing cannot be stored: .*{re.escape(says)}"):

        class Wrong(base):
            model_config = ConfigDict(arbitrary_types_allowed=arbitrary)
            good: int
            thing: annotation  # type: ignore[valid-type]

        io_schema(*((Wrong, Out) if base is ExperimentInputSpec else (In, Wrong)))


def test_a_computed_field_without_a_json_form_is_named() -> None:
    with pytest.raises(SpecError, match=r"Wrong\.mean cannot be stored: .*declare float"):

        class Wrong(ExperimentOutputSpec):
            @computed_field
            @property
            def mean(self) -> np.float64:
                return np.float64(1)


@pytest.mark.parametrize(
    ("base", "name"),
    [
        *((ExperimentInputSpec, name) for name in ("sort_index", "fetch", "computed_features")),
        (ExperimentOutputSpec, "dataframes"),
    ],
)
@pytest.mark.filterwarnings("ignore:Field name")
def test_names_that_runs_need_are_taken(base: Any, name: str) -> None:
    with pytest.raises(SpecError, match=rf"Wrong\.{name}: .* uses this name itself"):
        type("Wrong", (base,), {"__annotations__": {name: list[str]}, "__module__": __name__})


def test_scalar_fields_are_neither_files_nor_frames() -> None:
    assert scalar_fields(Out) == ("energy", "double")


def test_the_interface_is_one_valid_json_schema() -> None:
    schema = io_schema(In, Out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = {"input": {"temperature": 300.5}, "output": {"energy": 1.0, "report": None, "double": 2}}
    assert validator.is_valid(good)
    for change in ({"temperature": -1}, {"temperature": 1, "typo": 1}, {}):
        assert not validator.is_valid({**good, "input": change})
    temperature = schema["$defs"]["In"]["properties"]["temperature"]
    assert (temperature["description"], temperature["minimum"], temperature["maximum"]) == (
        "Kelvin.",
        0,
        2000,
    )
    assert "dataframes" not in schema["$defs"]["Out"]["properties"]


def test_nested_models_of_one_name_do_not_clash() -> None:
    class PartIn(ExperimentInputSpec):
        class Part(BaseModel):
            value: int

        part: Part

    class PartOut(ExperimentOutputSpec):
        class Part(BaseModel):
            value: str

        part: Part

    schema = io_schema(PartIn, PartOut)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"input": {"part": {"value": 1}}, "output": {"part": {"value": "a"}}})
    assert not validator.is_valid(
        {"input": {"part": {"value": "a"}}, "output": {"part": {"value": "a"}}}
    )


def test_a_field_without_a_json_form_is_named() -> None:
    class Thing:
        pass

    class WrongIn(ExperimentInputSpec):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        good: int
        thing: Thing

    class WrongOut(ExperimentOutputSpec):
        call: Callable[[], int]

    with pytest.raises(SpecError, match=r"WrongIn\.thing cannot be stored"):
        io_schema(WrongIn, Out)
    with pytest.raises(SpecError, match=r"WrongOut\.call cannot be stored"):
        io_schema(In, WrongOut)


def plain(spec: In) -> Out: ...


def with_tempdir(spec: In, tempdir: Path) -> Out: ...


def with_text(spec: "In", tempdir: "Path") -> "Out": ...


def with_default(spec: In, factor: float = 1.0, *, offset: int = 0) -> Out: ...


class Callable_:
    def __call__(self, spec: In) -> Out: ...


@pytest.mark.parametrize(
    ("function", "takes_tempdir"),
    [
        (plain, False),
        (with_tempdir, True),
        (with_text, True),
        (with_default, False),
        (Callable_(), False),
        (partial(with_default, factor=2.0), False),
    ],
)
def test_the_signature_is_read_from_the_annotations(
    function: Callable[..., Any], takes_tempdir: bool
) -> None:
    assert signature_of(function) == Signature(In, Out, takes_tempdir)


def no_input(spec) -> Out: ...  # type: ignore[no-untyped-def]


def no_output(spec: In): ...


def wrong_input(spec: dict) -> Out: ...


def swapped(spec: Out) -> In: ...


def three(spec: In, tempdir: Path, more: int) -> Out: ...


def keyword(spec: In, *, more: int) -> Out: ...


def second(spec: In, tempdir: str) -> Out: ...


def unknown(spec: "Nowhere") -> Out: ...  # type: ignore[name-defined]  # noqa: F821


async def coroutine(spec: In) -> Out: ...


def nothing() -> Out: ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_input, "no annotation"),
        (no_output, "the result of no_output has no annotation"),
        (wrong_input, "subclass of ExperimentInputSpec"),
        (swapped, "subclass of ExperimentInputSpec"),
        (three, "and no more"),
        (keyword, "and no more"),
        (second, "annotate it with Path"),
        (unknown, "cannot be read"),
        (coroutine, "async"),
        (nothing, "takes a spec"),
    ],
)
def test_other_shapes_are_refused(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        signature_of(function)


def test_dates_and_enums_are_described() -> None:
    class Dated(ExperimentInputSpec):
        day: date

    schema = io_schema(Dated, Out)
    assert schema["$defs"]["Dated"]["properties"]["day"]["format"] == "date"
