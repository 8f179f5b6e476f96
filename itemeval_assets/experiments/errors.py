"""Errors of experiments: of what users give, of what is not there, and of runs not started."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from itemeval_assets.core.errors import ItemevalAssetsError, RunFailed
from itemeval_assets.core.text.secrets import without_secrets

if TYPE_CHECKING:
    from .read.run import ExperimentRun

__all__ = [
    "ExperimentNotFoundError",
    "ExperimentRunNotFoundError",
    "ExperimentVersionNotFoundError",
    "LaunchFailed",
    "NotFoundError",
    "ResultNotFoundError",
    "SpecError",
    "problems",
]

SHOWN = 10


class SpecError(ItemevalAssetsError):
    """A spec type, a spec, an output or a function of an experiment is wrong."""


class NotFoundError(ItemevalAssetsError):
    """Something is not published at a place of a bucket or folder."""

    def __init__(self, what: str, place: str, kind: str, there_are: Iterable[str]) -> None:
        known = list(there_are)
        listed = ", ".join(known[:SHOWN]) + (", ..." if len(known) > SHOWN else "")
        super().__init__(f"there is no {what} in {place}; {kind} there: {listed or 'none'}")


class ExperimentNotFoundError(NotFoundError):
    """No run of the experiment is published."""


class ExperimentVersionNotFoundError(NotFoundError):
    """The experiment has no published run of the version."""


class ExperimentRunNotFoundError(NotFoundError):
    """The version has no published run of that time, or none with results yet."""


class ResultNotFoundError(NotFoundError):
    """The run has no result of that name."""


class LaunchFailed(RunFailed):
    """A run is published, and Dagster could not be told of it, or could not go on with it.

    `run` is the published run, to be resumed.
    """

    def __init__(self, run: "ExperimentRun[Any, Any]", why: Exception) -> None:
        told = str(why) if isinstance(why, ItemevalAssetsError) else f"{type(why).__name__}: {why}"
        told = without_secrets(told, os.environ)
        super().__init__(
            f"{run.experiment_id} is published in {run.uri}, but Dagster could not run it: {told}\n"
            "Once that is mended, resume(run) goes on; it need not be published again"
        )
        self.run, self.__cause__ = run, why


def problems(error: ValidationError) -> str:
    """What pydantic finds wrong, in one line: the first findings, each with its field."""
    found = error.errors(include_url=False, include_context=False)
    told = [": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in found[:3]]
    return "; ".join(told) + ("; ..." if len(found) > 3 else "")
