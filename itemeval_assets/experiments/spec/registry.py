"""Functions registered as experiments: spec in, spec out."""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.layout.places import NAME_RULE, is_experiment_name

from .io_schema import io_schema
from .limits import Limits, limits
from .models import ExperimentInputSpec, ExperimentOutputSpec
from .signature import Signature, signature_of

if TYPE_CHECKING:
    import dagster as dg

__all__ = ["Experiment", "as_experiment", "experiment", "experiment_at", "registered"]

In = TypeVar("In", bound=ExperimentInputSpec)
Out = TypeVar("Out", bound=ExperimentOutputSpec)

# What the manifest calls an experiment: the peer's name of the task behind it.
EXPERIMENT_NAME = "scythe_experiment_{}"

_registered: "dict[str, Experiment[Any, Any]]" = {}


class Experiment(Generic[In, Out]):
    """A registered function: callable as before, and a Dagster asset partitioned by runs."""

    def __init__(
        self,
        fn: Callable[..., Out],
        name: str | None,
        description: str | None,
        limits: Limits = Limits(),
    ) -> None:
        functools.update_wrapper(self, fn)
        self.limits = limits
        self.fn = fn
        self.name = name or getattr(fn, "__name__", "")
        if not is_experiment_name(self.name):
            raise SpecError(
                f"{self.name!r} is no name of an experiment: {NAME_RULE}; give it one with "
                "@experiment(name=...)"
            )
        self.description = description or inspect.getdoc(fn) or ""
        self.signature: Signature = signature_of(fn)
        self.schema: dict[str, Any] = io_schema(self.input_type, self.output_type)

    def __call__(self, *args: Any, **kwargs: Any) -> Out:
        return self.fn(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<experiment {self.name}: {self.origin}>"

    @property
    def input_type(self) -> type[In]:
        return self.signature.input_type  # type: ignore[return-value]

    @property
    def output_type(self) -> type[Out]:
        return self.signature.output_type  # type: ignore[return-value]

    @property
    def experiment_name(self) -> str:
        """The name in a manifest."""
        return EXPERIMENT_NAME.format(self.name)

    @property
    def identifier(self) -> str:
        """The name as Dagster takes it."""
        return self.name.replace("-", "_")

    @property
    def origin(self) -> str:
        """Where the function is: `module:qualname`."""
        return f"{self.fn.__module__}:{self.fn.__qualname__}"

    @property
    def is_importable(self) -> bool:
        """Whether another process finds the function, or this object, by its origin."""
        module, _, path = self.origin.partition(":")
        if module == "__main__" or "<locals>" in path:
            return False
        found: Any = sys.modules.get(module)
        for part in path.split("."):
            found = getattr(found, part, None)
        return found is self or found is self.fn

    @cached_property
    def asset(self) -> "dg.AssetsDefinition":
        """The graph-backed asset: scatter, a shard per op, gather; a partition per run."""
        from itemeval_assets.experiments.runs.assets import experiment_asset  # noqa: PLC0415 (loads Dagster)

        return experiment_asset(self)

    @cached_property
    def check(self) -> "dg.AssetChecksDefinition":
        """The check that every spec of a run succeeded."""
        from itemeval_assets.experiments.runs.assets import experiment_check  # noqa: PLC0415

        return experiment_check(self)


@overload
def experiment(fn: Callable[..., Out], /) -> Experiment[Any, Out]: ...


@overload
def experiment(
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    retries: int = 0,
    memory: int | str | None = None,
) -> Callable[[Callable[..., Out]], Experiment[Any, Out]]: ...


def experiment(
    fn: Callable[..., Out] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    retries: int = 0,
    memory: int | str | None = None,
) -> Experiment[Any, Out] | Callable[[Callable[..., Out]], Experiment[Any, Out]]:
    """Register `fn(spec) -> output`, or `fn(spec, tempdir) -> output`, as an experiment.

    The name defaults to the function's, the description to its docstring. A spec may take
    `timeout_s` seconds, and allocate `memory` (bytes, or as in "2 GB"); one that fails is tried
    `retries` more times. Time and memory are limits of a process, so that such an experiment runs
    its specs in processes of their own. Raises SpecError for a function without these annotations,
    for types that cannot be serialised, for what is no limit, and when another function has the
    name already.
    """
    if fn is not None:
        return _register(Experiment(fn, name, description))
    chosen = limits(timeout_s, retries, memory)
    return lambda given: _register(Experiment(given, name, description, chosen))


def as_experiment(fn: Callable[..., Out]) -> Experiment[Any, Out]:
    """The experiment of a function that was not decorated: the same one each time."""
    known = next((found for found in _registered.values() if found.fn is fn), None)
    return known or experiment(fn)


def experiment_at(origin: str) -> Experiment[Any, Any]:
    """The experiment of the function at `module:qualname`, which another process has named."""
    module, _, path = origin.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found if isinstance(found, Experiment) else as_experiment(found)


def registered() -> "list[Experiment[Any, Any]]":
    """All experiments of this process, by name."""
    return [_registered[name] for name in sorted(_registered)]


def _register(new: Experiment[Any, Out]) -> Experiment[Any, Out]:
    other = _registered.get(new.identifier)
    # The same function again is its module, loaded again.
    if other is not None and other.origin != new.origin:
        raise SpecError(
            f"experiment {new.name!r} is {other.origin} already, and cannot be {new.origin} as "
            "well; name one of them: @experiment(name=...)"
        )
    _registered[new.identifier] = new
    return new
