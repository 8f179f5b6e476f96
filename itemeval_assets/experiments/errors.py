"""The error of a spec: a type, a value or a function that an experiment cannot use."""

from itemeval_assets.core.errors import ItemevalAssetsError

__all__ = ["SpecError"]


class SpecError(ItemevalAssetsError):
    """A spec type, a spec, an output or a function of an experiment is wrong."""
