"""The contents of the Dagster project: the asset graphs of all studies in the settings."""

from .defs.build import build_definitions
from .settings import Settings

defs = build_definitions(Settings())
