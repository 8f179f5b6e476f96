"""Whether code of others takes the `args` that the YAML gives it: known before any answer."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from itemeval_assets.core.config.wording import wanted
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.nearest import did_you_mean

# What to do with a scorer that somebody wrote for inspect_ai.
OF_A_FILE = (
    "write a plain function of (solution, target, metadata) for `type: python`, or put the scorer "
    "into a package that registers it with inspect_ai (an entry point of the group inspect_ai), "
    "and name <package>/<name> with `type: inspect`"
)
# What YAML has, too. Of other types a value may be right that is none.
_PLAIN = (bool, int, float, str, types.NoneType)


class ArgumentsError(ConfigError):
    """`args` has a name, or a value, that the code does not take."""


def require_arguments(
    function: Callable[..., Any], what: str, args: Mapping[str, Any], given: int = 0
) -> None:
    """Raise ArgumentsError for names that a function does not take, and values of another type.

    `given`: how many arguments come before them. A value is looked at where the function
    declares plain types or words for it.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # one that Python knows no signature of
        return
    named = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    for name, value in args.items():
        if name not in named and not takes_any:
            raise ArgumentsError(f"{what} takes no {name!r}; {did_you_mean(name, named[given:])}")
        _require_type(name, value, _hints(function).get(name))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except Exception:  # names that its author imports for a type checker alone
        return {}


def _require_type(name: str, value: Any, declared: Any) -> None:
    if declared is None or not all(map(_is_plain, _kinds(declared))):
        return
    try:
        TypeAdapter(declared).validate_python(value, strict=True)
    except ValidationError as error:
        kinds = dict.fromkeys(wanted(one).removeprefix("give ") for one in error.errors())
        raise ArgumentsError(f"{name}: give {' or '.join(kinds)}; found {value!r}") from None


def _kinds(declared: Any) -> tuple[Any, ...]:
    is_union = get_origin(declared) in (Union, types.UnionType)
    return get_args(declared) if is_union else (declared,)


def _is_plain(kind: Any) -> bool:
    return kind in _PLAIN or get_origin(kind) is Literal
