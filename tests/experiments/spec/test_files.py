"""File references: what is read, what is refused, and URIs that lead back to their key."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple, Optional

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, Field, ValidationError
from typing_extensions import TypedDict

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.spec.files import (
    FileReference,
    file_fields,
    is_local,
    require_local_file,
    require_plain_file_fields,
    split_s3_uri,
)

ODD_KEYS = ["a b.txt", "a#b.txt", "a?b=c.txt", "100%.txt", "a%20b", "é/日本.pdf", "a/b//c", " x "]


class Files(BaseModel):
    weather: FileReference = Field(description="Hourly weather.")
    drawing: FileReference | None = None
    area: float = 1.0


def read(value: object) -> Path | str:
    return Files.model_validate({"weather": value}).weather


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_s3_uri_is_literal(key: str) -> None:
    uri = f"s3://bucket/{key}"
    assert split_s3_uri(uri) == ("bucket", key)
    assert read(uri) == uri
    assert Files(weather=uri).model_dump(mode="json")["weather"] == uri


@given(st.text(min_size=1))
def test_every_key_comes_back(key: str) -> None:
    assert split_s3_uri(f"s3://bucket/{key}") == ("bucket", key)


@pytest.mark.parametrize("key", [key for key in ODD_KEYS if key != " x "])
def test_every_local_name_survives(key: str) -> None:
    value = read(key)
    assert value == Path(key)
    assert Files(weather=value).model_dump(mode="json")["weather"] == str(Path(key))


def test_what_is_local_and_what_is_not(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv") == tmp_path / "a.csv"
    assert read((tmp_path / "a b.csv").as_uri()) == tmp_path / "a b.csv"
    assert read("https://example.org/a?b=c") == "https://example.org/a?b=c"
    assert read("S3://bucket/Key") == "s3://bucket/Key"
    assert read(AnyUrl("s3://bucket/a b#c.txt")) == "s3://bucket/a b#c.txt"
    assert read("C:/data/a.csv") == Path("C:/data/a.csv")
    assert [is_local(v) for v in (Path("a"), "a", "s3://b/k", "https://e.org/a")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("ftp://example.org/a", "scheme ftp"),
        ("s3://bucket", "write s3://<bucket>/<key>"),
        ("s3:///key", "write s3://<bucket>/<key>"),
        ("https://", "write https://<host>/<path>"),
        (Path("s3://bucket/key"), "give it as text"),
        ("", "expected a file"),
        (3, "expected a file"),
        (None, "expected a file"),
    ],
)
def test_what_is_no_file_is_refused(value: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        read(value)


def test_split_refuses_what_is_no_object() -> None:
    for uri in ("s3://bucket", "s3://bucket/", "/a/b", "https://e.org/a"):
        with pytest.raises(SpecError, match="write s3://"):
            split_s3_uri(uri)


def test_a_file_that_is_used_exists(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    assert require_local_file(str(tmp_path / "a.csv"), "In.weather") == tmp_path / "a.csv"
    with pytest.raises(SpecError, match=r"In\.weather: the file .* does not exist"):
        require_local_file(tmp_path / "b.csv", "In.weather")
    with pytest.raises(SpecError, match="is a folder"):
        require_local_file(tmp_path, "In.weather")


def test_the_schema_describes_a_text() -> None:
    schema = Files.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    weather = schema["properties"]["weather"]
    assert (weather["type"], weather["format"]) == ("string", "uri-or-path")
    assert weather["description"] == "Hourly weather."


def test_file_fields_are_found_by_their_declaration() -> None:
    class More(Files):
        a: Optional[FileReference] = None  # noqa: UP045 - the old spelling is declared by users too
        b: Annotated[FileReference, Field(description="b")]
        c: Path

    assert file_fields(More) == ("weather", "drawing", "a", "b")


class _Inner(BaseModel):
    file: FileReference


@dataclass
class _Data:
    file: FileReference


class _Tuple(NamedTuple):
    file: FileReference


class _Typed(TypedDict):
    file: FileReference


@pytest.mark.parametrize(
    "annotation",
    [
        list[FileReference],
        dict[str, FileReference],
        tuple[int, FileReference],
        list[FileReference] | None,
        FileReference | int,
        _Inner,
        list[_Inner],
        _Data,
        _Tuple,
        _Typed,
    ],
)
def test_files_lie_in_fields_of_their_own(annotation: object) -> None:
    model = type("Model", (BaseModel,), {"__annotations__": {"files": annotation}})
    with pytest.raises(
        SpecError, match=r"Model\.files: a FileReference must be a field of its own"
    ):
        require_plain_file_fields(model)


def test_a_model_within_itself_is_no_trouble() -> None:
    class Node(BaseModel):
        children: list["Node"] = []
        file: FileReference | None = None

    class Tree(BaseModel):
        children: list["Tree"] = []
        value: FileReference

    require_plain_file_fields(Files)
    with pytest.raises(SpecError, match="children"):
        require_plain_file_fields(Node)
    with pytest.raises(SpecError, match="children"):
        require_plain_file_fields(Tree)
