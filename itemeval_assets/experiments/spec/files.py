"""Files as fields of a spec: a local path, or the URL of an object.

The text of an S3 URI is literal: `s3://<bucket>/<key>`, with nothing percent-encoded. That is
what boto3, s3fs, pandas and the aws command line take it for, and it leads back to exactly
one key whatever characters the key holds (a space, `#`, `?`, `%`, non-ASCII).
"""

import dataclasses
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from pydantic import AnyUrl, BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import core_schema
from typing_extensions import TypeAliasType, is_typeddict

from itemeval_assets.experiments.errors import SpecError

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/{1,2}(?=[^/]|$|/)")
_REMOTE = ("http", "https", "s3")


class _FileReferenceMarker:
    """What pydantic does with a field of type FileReference."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "format": "uri-or-path",
            "description": "A file: a local path, or an http(s):// or s3:// URL.",
        }


FileReference = Annotated[Path | str, _FileReferenceMarker()]
"""A file: a `Path` where it is local, else the text of an http(s) or s3 URL."""


def is_local(value: Path | str) -> bool:
    """Whether a file reference is a path on this machine rather than a URL."""
    return isinstance(value, Path) or _scheme(value) not in _REMOTE


def require_local_file(value: Path | str, what: str) -> Path:
    """The path of an existing file. Raises SpecError, naming `what`, when there is none."""
    path = Path(value)
    if path.is_file():
        return path
    problem = "is a folder, not a file" if path.is_dir() else "does not exist"
    raise SpecError(f"{what}: the file {path} {problem}; give the path of an existing file")


def split_s3_uri(uri: str) -> tuple[str, str]:
    """(bucket, key) of an S3 URI, taken literally. Raises SpecError when it is none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise SpecError(f"{uri!r} is no S3 URI of an object; write s3://<bucket>/<key>")
    return bucket, key


@cache
def file_fields(model_type: type[BaseModel]) -> tuple[str, ...]:
    """Names of the fields declared as `FileReference` or `FileReference | None`, in order."""
    return tuple(
        name
        for name, field in model_type.model_fields.items()
        if any(is_file_reference(leaf) for leaf in leaves(whole_annotation(field)))
    )


def require_plain_file_fields(model_type: type[BaseModel]) -> None:
    """Raise SpecError where a FileReference lies anywhere but in a field of its own.

    Files in lists, dicts or nested models have no `<field>/<file>` place in a published run.
    """
    for name, field in model_type.model_fields.items():
        found = list(leaves(whole_annotation(field)))
        is_file = any(is_file_reference(leaf) for leaf in found)
        others = [leaf for leaf in found if not is_file_reference(leaf) and leaf is not type(None)]
        if (is_file and others) or any(_holds_file(leaf, set()) for leaf in others):
            raise SpecError(
                f"{model_type.__name__}.{name}: a FileReference must be a field of its own, "
                "`FileReference` or `FileReference | None`; not an item of a list, dict, tuple or "
                "nested model, nor one of several types. Use one field for each file"
            )


def leaves(annotation: Any) -> Iterator[Any]:
    """The members of an annotation: unions, aliases and `Annotated` taken apart.

    A FileReference comes out as its marker: see `is_file_reference`.
    """
    origin = get_origin(annotation)
    if isinstance(annotation, TypeAliasType):
        yield from leaves(annotation.__value__)
    elif isinstance(origin, TypeAliasType):
        yield from leaves(origin.__value__)
    elif hasattr(annotation, "__supertype__"):
        yield from leaves(annotation.__supertype__)
    elif origin is Annotated:
        markers = [item for item in annotation.__metadata__ if is_file_reference(item)]
        yield from markers[:1] or leaves(annotation.__origin__)
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from leaves(member)
    else:
        yield annotation


def is_file_reference(leaf: Any) -> bool:
    """Whether a leaf of an annotation is a FileReference."""
    return isinstance(leaf, _FileReferenceMarker)


def whole_annotation(field: FieldInfo) -> Any:
    """The annotation of a field with the metadata that pydantic has taken off it."""
    if not field.metadata:
        return field.annotation
    return Annotated[(field.annotation, *field.metadata)]


def _holds_file(leaf: Any, seen: set[Any]) -> bool:
    if is_file_reference(leaf):
        return True
    if isinstance(leaf, type) and leaf not in seen:
        inner = _inner_annotations(leaf)
        seen = seen | {leaf}
    else:
        inner = []
    inner.extend(get_args(leaf))
    return any(_holds_file(part, seen) for annotation in inner for part in leaves(annotation))


def _inner_annotations(leaf: type) -> list[Any]:
    if issubclass(leaf, BaseModel):
        return [whole_annotation(field) for field in leaf.model_fields.values()]
    if dataclasses.is_dataclass(leaf) or is_typeddict(leaf) or hasattr(leaf, "_fields"):
        return list(get_type_hints(leaf, include_extras=True).values())
    return []


def _scheme(text: str) -> str | None:
    found = _SCHEME.match(text)
    return found[1].lower() if found else None


def _parse(value: Any) -> Path | str:
    """A file reference from what a user writes. Raises ValueError, as pydantic wants it."""
    if isinstance(value, os.PathLike):
        text = os.fsdecode(value)
        if _scheme(text) in _REMOTE:
            raise ValueError(f"{text!r} is a URL in a Path, which drops a slash; give it as text")
        return Path(text)
    if isinstance(value, AnyUrl):
        # A URL object has encoded what an S3 key holds literally.
        value = unquote(str(value)) if value.scheme == "s3" else str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a file: a path, or an http(s):// or s3:// URL")
    return _parse_text(value)


def _parse_text(text: str) -> Path | str:
    scheme = _scheme(text)
    if scheme is None:
        return Path(text)
    if scheme == "file":
        return Path(url2pathname(urlsplit(text).path))
    if scheme not in _REMOTE:
        raise ValueError(f"{text!r} has the scheme {scheme}; http, https, s3 and paths are read")
    rest = text[len(scheme) + 1 :]
    host, _, key = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not host or (scheme == "s3" and not key):
        shape = "s3://<bucket>/<key>" if scheme == "s3" else f"{scheme}://<host>/<path>"
        raise ValueError(f"{text!r} is no URL of a file; write {shape}")
    return f"{scheme}:{rest}"
