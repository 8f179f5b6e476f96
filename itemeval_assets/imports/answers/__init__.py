"""A table of answers that are there already: CSV, JSON lines, JSON, Parquet or Excel."""
