"""What is given to a public function: checked by its annotations, in one place."""

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np

from .columns import Remembered, is_empty, names
from .records import MeasurementError

__all__ = ["checked", "checked_as", "is_whole"]

P = ParamSpec("P")
R = TypeVar("R")
_SHOWN = 60
_WORDS = {
    str: "a text that is not empty",
    bool: "True or False",
    int: "a whole number",
    float: "a finite number",
    Hashable: "one value, such as a name",
    Sequence: "a list of texts",
    Collection: "a list of values",
    Mapping: "a mapping, {name: value}",
    NoneType: "None",
}


def checked_as(error: type[Exception]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function raise `error` for an argument that is not of the kind it is annotated with.

    Texts, numbers, lists, mappings, records and unions of them are looked at, and the parameter
    `frame`; what else there is, the function looks at itself.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        kinds = {name: _kinds(one.annotation) for name, one in signature.parameters.items()}
        kinds = {name: found for name, found in kinds.items() if found}

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            given = bound.arguments
            if "frame" in given:
                names(given["frame"])
                if not isinstance(given["frame"], Remembered):
                    given["frame"] = Remembered(given["frame"])
            for name in sorted(kinds.keys() & given.keys()):
                if not any(_is(given[name], kind) for kind in kinds[name]):
                    # Who gives a wrong value wants to give one.
                    asked = [kind for kind in kinds[name] if kind is not NoneType] or [NoneType]
                    wanted = ", or ".join(map(_in_words, asked))
                    shown = repr(given[name])
                    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
                    raise error(f"{name} is {shown}: give {wanted}")
            return function(*bound.args, **bound.kwargs)

        return call

    return decorate


checked = checked_as(MeasurementError)


def _kinds(annotation: Any) -> tuple[type, ...]:
    """The kinds of value that an annotation allows; none where it allows others as well."""
    if get_origin(annotation) in (Union, UnionType):
        parts = [_kinds(part) for part in get_args(annotation)]
        return tuple(kind for part in parts for kind in part) if all(parts) else ()
    kind = NoneType if annotation is None else get_origin(annotation) or annotation
    if kind is Literal:
        kind = Hashable
    elif kind is Sequence and get_args(annotation) != (str,):
        kind = Collection
    is_known = isinstance(kind, type) and (kind in _WORDS or is_dataclass(kind))
    return (kind,) if is_known else ()


def _in_words(kind: type) -> str:
    return _WORDS.get(kind) or f"a {kind.__name__}"


def _is(value: Any, kind: type) -> bool:
    if kind is str:
        return isinstance(value, str) and bool(value.strip())
    if kind in (Sequence, Collection):
        is_list = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
        return is_list and (kind is Collection or all(_is(one, str) for one in value))
    if kind in (int, float):
        return is_whole(value) if kind is int else _is_finite(value)
    if kind is Hashable:
        return isinstance(value, Hashable) and not is_empty(value)
    return isinstance(value, (bool, np.bool_) if kind is bool else kind)


def is_whole(value: Any, least: float = -math.inf) -> bool:
    """Whether a value is a whole number, `least` or more."""
    return _is_finite(value) and value == int(value) and value >= least


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    try:
        return is_number and math.isfinite(value)
    except OverflowError:
        return False
