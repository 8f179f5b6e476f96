"""Errors that are told by name, as by a Dagster run, come back as errors of ours."""

from collections.abc import Iterator

import pytest

import itemeval_assets.experiments
from itemeval_assets.core import errors
from itemeval_assets.core.errors import ItemevalAssetsError, error_from


def every(base: type[ItemevalAssetsError]) -> Iterator[type[ItemevalAssetsError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from every(kind)


@pytest.mark.parametrize("kind", [*every(ItemevalAssetsError)])
def test_every_class_is_told_by_its_name(kind: type[ItemevalAssetsError]) -> None:
    assert itemeval_assets.experiments  # has classes of its own
    found = error_from(kind.__name__, "what to do", {"usd": 1.5})
    assert (str(found), found.facts, found.exit_code) == (
        "what to do",
        {"usd": 1.5},
        kind.exit_code,
    )
    assert type(found) is (kind if hasattr(errors, kind.__name__) else ItemevalAssetsError)
