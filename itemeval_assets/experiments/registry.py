"""Functions registered as experiments, and what Dagster has of each."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, overload

from .errors import SpecError
from .spec.function import ExperimentFunction
from .spec.limits import limits
from .spec.models import In, Out

if TYPE_CHECKING:
    import dagster as dg

_registered: "dict[str, Experiment]" = {}


class Experiment(ExperimentFunction[In, Out], Generic[In, Out]):
    """A registered function: callable as before, and a Dagster asset partitioned by runs."""

    @property
    def asset(self) -> "dg.AssetsDefinition":
        """The graph-backed asset: scatter, a shard per op, gather; a partition per run."""
        from .runs.assets import experiment_asset  # noqa: PLC0415 (loads Dagster)

        return experiment_asset(self)

    @property
    def check(self) -> "dg.AssetChecksDefinition":
        """The check that every spec of a run succeeded."""
        from .runs.assets import experiment_check  # noqa: PLC0415 (loads Dagster)

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


def registered() -> "list[Experiment]":
    """All experiments of this process, by name."""
    return [_registered[name] for name in sorted(_registered)]


def _register(new: Experiment[Any, Out]) -> Experiment[Any, Out]:
    other = _registered.get(new.identifier)
    # The same function again is its module, loaded again.
    if other is not None and other.origin != new.origin:
        raise SpecError(
            f"two functions have the experiment name {new.name!r}: {other.origin} and "
            f"{new.origin}; give one of them another name: @experiment(name=...)"
        )
    _registered[new.identifier] = new
    return new
