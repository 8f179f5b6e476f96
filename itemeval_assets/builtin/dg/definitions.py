"""All that Dagster shows of the studies in this folder."""

from itemeval_assets.definitions import defs

__all__ = ["defs"]
