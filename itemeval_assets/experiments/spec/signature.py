"""The function of an experiment: which spec it reads, which it returns."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from itemeval_assets.experiments.errors import SpecError

from .models import ExperimentInputSpec, ExperimentOutputSpec

_T = TypeVar("_T")
_SHAPE = "write `def f(spec: In) -> Out` or `def f(spec: In, tempdir: Path) -> Out`"


@dataclass(frozen=True)
class Signature:
    """The types of an experiment's function, read from its annotations."""

    input_type: type[ExperimentInputSpec]
    output_type: type[ExperimentOutputSpec]
    takes_tempdir: bool


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature of an experiment's function. Raises SpecError when it has another shape."""
    name = getattr(function, "__name__", repr(function))
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise SpecError(f"{name} is async or a generator; an experiment is a plain function")
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, TypeError, ValueError, SyntaxError) as error:
        raise SpecError(f"the annotations of {name} cannot be read: {error}; {_SHAPE}") from error
    given = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    required = [
        parameter
        for parameter in signature.parameters.values()
        if parameter not in given[:2]
        and parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if not given or required:
        raise SpecError(f"{name} takes a spec, or a spec and a tempdir, and no more; {_SHAPE}")
    return Signature(
        _subclass(given[0].annotation, ExperimentInputSpec, f"{name}({given[0].name})"),
        _subclass(signature.return_annotation, ExperimentOutputSpec, f"the result of {name}"),
        _takes_tempdir(given, name),
    )


def _subclass(annotation: Any, base: type[_T], what: str) -> type[_T]:
    if isinstance(annotation, type) and issubclass(annotation, base):
        return annotation
    found = "no annotation" if annotation is inspect.Parameter.empty else f"{annotation!r}"
    raise SpecError(f"{what} has {found}; annotate it with a subclass of {base.__name__}. {_SHAPE}")


def _takes_tempdir(given: list[inspect.Parameter], name: str) -> bool:
    if len(given) == 1:
        return False
    second = given[1]
    if second.annotation is Path:
        return True
    if second.default is second.empty:
        raise SpecError(f"{name}({second.name}) is the tempdir: annotate it with Path. {_SHAPE}")
    return False
