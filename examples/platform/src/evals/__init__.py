"""Studies as assets of a Dagster project."""
