"""The Dagster instance that runs are recorded in."""
