"""What goes into an experiment and what comes out: the base classes of users' specs."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    InstanceOf,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema
from typing_extensions import TypeVar

from itemeval_assets.core.text.nearest import nearest
from itemeval_assets.experiments.errors import SpecError

from . import index
from .field_forms import NO_FORM, formless_field
from .files import file_fields, is_local, require_local_file, require_plain_file_fields

RESERVED_FRAMES = ("scalars", "result_file_refs", "errors")
_FRAME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class _Spec(BaseModel):
    """What inputs and outputs share: no unknown fields, files in fields of their own."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        require_plain_file_fields(cls)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        try:
            return handler(source)
        except NO_FORM as error:
            raise SpecError(formless_field(cls) or f"{cls.__name__}: {error}") from error

    @model_validator(mode="wrap")
    @classmethod
    def _suggest_fields(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            if all(problem["type"] != "extra_forbidden" for problem in error.errors()):
                raise
            raise ValidationError.from_exception_data(
                cls.__name__, [_line(cls, problem) for problem in error.errors()]
            ) from None


class ExperimentInputSpec(_Spec, index.Indexed):
    """One case of an experiment. Subclass it, and declare what the function reads as fields.

    The fields of this class are set in copies of the specs when a run is allocated.
    """

    experiment_id: str = Field(default="", description="The run: <experiment>/<version>/<time>.")
    sort_index: int = Field(default=0, ge=0, description="The place of the spec in its run.")
    workflow_run_id: str | None = Field(default=None, description="The id of this spec's work.")
    root_workflow_run_id: str | None = Field(default=None, description="The id of the run.")

    _fetch: Callable[[str], Path] | None = PrivateAttr(default=None)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if index.SUBINDEX in cls.model_fields:
            raise SpecError(
                f"{cls.__name__}.{index.SUBINDEX}: this is the name of the index level that "
                "numbers the rows of a spec; give the field another name"
            )
        _require_own(cls, ExperimentInputSpec, ("computed_features", "fetch", "make_multiindex"))

    def fetch(self, file: Path | str) -> Path:
        """A file on this machine: of a FileReference field, by its name or by its value.

        A local file is itself. Raises SpecError when the field is empty, the local file is
        missing, or the file is remote and the spec is not being run.
        """
        what = f"{type(self).__name__}.fetch"
        value: Path | str | None = file
        if isinstance(file, str) and file in file_fields(type(self)):
            what = f"{type(self).__name__}.{file}"
            value = getattr(self, file)
        if value is None:
            raise SpecError(f"{what}: no file is given")
        if is_local(value):
            return require_local_file(value, what)
        if self._fetch is None:
            raise SpecError(f"{what}: {value} is fetched only while a run works on the spec")
        return self._fetch(str(value))

    def make_multiindex(
        self,
        additional_index_data: Mapping[str, Any] | list[dict[str, Any]] | None = None,
        n_rows: int = 1,
        include_sort_subindex: bool = True,
    ) -> pd.MultiIndex:
        """The index of `n_rows` rows of this spec: see `index.make_multiindex`.

        A frame needs it only for levels of its own: without it the levels are added.
        """
        return index.make_multiindex(self, additional_index_data, n_rows, include_sort_subindex)


class ExperimentOutputSpec(_Spec):
    """What one spec leads to: scalars and files as fields, and frames by name.

    Each frame becomes the rows of `final/<name>.pq` that belong to the spec.
    """

    dataframes: SkipJsonSchema[dict[str, InstanceOf[pd.DataFrame]]] = Field(
        default_factory=dict, exclude=True, description="Frames by name, one row or many each."
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        _require_own(cls, ExperimentOutputSpec)

    @field_validator("dataframes", mode="before")
    @classmethod
    def _check_frames(cls, frames: Any) -> Any:
        require_frames(frames, cls.__name__)
        return frames


In = TypeVar("In", bound=ExperimentInputSpec, default=Any)
Out = TypeVar("Out", bound=ExperimentOutputSpec, default=Any)
"""What an experiment takes and gives, where it is known."""


def require_frames(frames: Any, owner: str) -> None:
    """Raise SpecError unless these are frames by name."""
    if not isinstance(frames, Mapping):
        raise SpecError(
            f"{owner}.dataframes is of type {type(frames).__name__}; give a dict of frames by "
            "name: {'hourly': frame}"
        )
    for name, frame in frames.items():
        _require_frame_name(name, owner)
        if not isinstance(frame, pd.DataFrame):
            raise SpecError(
                f"{owner}.dataframes: frame {name!r} is no DataFrame but {type(frame).__name__}; "
                "make it one, or give the value as a field"
            )


def _require_frame_name(name: Any, owner: str) -> None:
    """Raise SpecError when a frame may not have this name: it becomes the name of a file."""
    if name in RESERVED_FRAMES:
        raise SpecError(
            f"{owner}.dataframes: the frame name {name!r} is taken by a table of every run "
            f"({', '.join(RESERVED_FRAMES)}); give the frame another name"
        )
    if not isinstance(name, str) or not _FRAME_NAME.fullmatch(name):
        raise SpecError(
            f"{owner}.dataframes: the frame name {name!r} may hold letters, digits, '_', '.' and "
            "'-' only, and begins with a letter or a digit; give the frame such a name"
        )


@cache
def scalar_fields(output_type: type[ExperimentOutputSpec]) -> tuple[str, ...]:
    """Names of the columns of `scalars`: fields, then computed ones; no files, nothing excluded."""
    hidden = {name for name, field in output_type.model_fields.items() if field.exclude}
    left_out = {"dataframes", *file_fields(output_type), *hidden}
    names = [*output_type.model_fields, *output_type.model_computed_fields]
    return tuple(name for name in names if name not in left_out)


def _require_own(cls: type[_Spec], base: type[_Spec], methods: tuple[str, ...] = ()) -> None:
    """Raise SpecError for a field that has the name of something that the base class gives."""
    given = base.model_fields
    changed = [
        name
        for name, field in cls.model_fields.items()
        if name in methods or (name in given and field.annotation != given[name].annotation)
    ]
    if changed:
        raise SpecError(
            f"{cls.__name__}.{changed[0]}: {base.__name__} uses this name itself; give the field "
            "another name"
        )


def _line(model: type[BaseModel], problem: Any) -> InitErrorDetails:
    """A finding of pydantic again; an unknown field with the known one that is nearest."""
    text = problem["msg"]
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
        name = str(problem["loc"][0])
        own = [known for known in model.model_fields if known not in index.BASE_LEVELS]
        near = nearest(name, model.model_fields)
        hint = f"did you mean {near!r}?" if near else f"its fields are: {', '.join(own)}"
        text = f"{model.__name__} has no field {name!r}; {hint}"
    return InitErrorDetails(
        type=PydanticCustomError(problem["type"], "{text}", {"text": text}),
        loc=problem["loc"],
        input=problem["input"],
    )
