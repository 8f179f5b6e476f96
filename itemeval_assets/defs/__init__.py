"""Dagster definitions of studies."""
