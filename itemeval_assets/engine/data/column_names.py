"""Names of columns: each occurs once."""

from collections.abc import Sequence

from itemeval_assets.core.errors import DatasetError


def refuse_doubled(names: Sequence[str], where: str) -> None:
    """Raise DatasetError for a name that occurs twice at a place."""
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{where}: {doubled!r} occurs twice; give each column its own name")
