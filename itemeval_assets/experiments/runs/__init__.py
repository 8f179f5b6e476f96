"""The Dagster side: an asset per experiment, and runs of it."""
