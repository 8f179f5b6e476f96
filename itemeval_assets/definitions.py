"""The contents of the Dagster project: the asset graphs of all studies in the settings."""

from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings

defs = build_definitions(Settings())
