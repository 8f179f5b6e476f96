"""Errors of experiments: of what users give, and of what is not there."""

from collections.abc import Iterable

from pydantic import ValidationError

from itemeval_assets.core.errors import ItemevalAssetsError

_SHOWN = 10


class SpecError(ItemevalAssetsError):
    """A spec type, a spec, an output or a function of an experiment is wrong."""


class NotFoundError(ItemevalAssetsError):
    """Something is not published at a place of a bucket or folder."""

    def __init__(self, what: str, place: str, kind: str, there_are: Iterable[str]) -> None:
        known = list(there_are)
        listed = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
        super().__init__(f"there is no {what} in {place}; {kind} there: {listed or 'none'}")


class ExperimentNotFoundError(NotFoundError):
    """No run of the experiment is published."""


class ExperimentVersionNotFoundError(NotFoundError):
    """The experiment has no published run of the version."""


class ExperimentRunNotFoundError(NotFoundError):
    """The version has no published run of that time, or none with results yet."""


class ResultNotFoundError(NotFoundError):
    """The run has no result of that name."""


def problems(error: ValidationError) -> str:
    """What pydantic finds wrong, in one line: the first findings, each with its field."""
    found = error.errors(include_url=False, include_context=False)
    told = [": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in found[:3]]
    return "; ".join(told) + ("; ..." if len(found) > 3 else "")
