"""The Dagster layer, thin: contexts in, calls to `stages`, metadata out."""
