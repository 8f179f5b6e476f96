"""The function of an experiment, spec in and spec out, with all that is known of it."""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any, Generic

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.layout.keys import NAME_RULE, is_experiment_name

from .io_schema import io_schema
from .limits import Limits
from .models import In, Out
from .signature import Signature, signature_of

# What the manifest calls an experiment: the peer's name of the task behind it.
_EXPERIMENT_NAME = "scythe_experiment_{}"


class ExperimentFunction(Generic[In, Out]):
    """A function as an experiment: callable as before. Raises SpecError where it cannot be one."""

    def __init__(
        self,
        fn: Callable[..., Out],
        name: str | None = None,
        description: str | None = None,
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
        return _EXPERIMENT_NAME.format(self.name)

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


def function_at(origin: str) -> ExperimentFunction:
    """The function at `module:qualname`, which another process has named."""
    module, _, path = origin.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found if isinstance(found, ExperimentFunction) else ExperimentFunction(found)
