"""Errors that are told by name, as by a Dagster run, come back as errors of ours."""

from collections.abc import Iterator

import pytest

import itemeval_assets.experiments.errors  # noqa: F401 (has classes of its own)
from itemeval_assets.core import errors
from itemeval_assets.core.errors import ItemevalAssetsError, error_from


def every(base: type[ItemevalAssetsError]) -> Iterator[type[ItemevalAssetsError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from every(kind)


@pytest.mark.parametrize("kind", [*every(ItemevalAssetsError)])
def test_every_class_is_told_by_its_name(kind: type[ItemevalAssetsError]) -> None:
    found = error_from(kind.__name__, "what to do", {"usd": 1.5})
    told_as = kind if hasattr(errors, kind.__name__) else ItemevalAssetsError
    assert type(found) is told_as
    assert (str(found), found.facts, found.exit_code) == (
        "what to do",
        {"usd": 1.5},
        told_as.exit_code,
    )
