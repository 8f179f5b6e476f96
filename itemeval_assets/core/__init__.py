"""Pure rules: no Dagster, inspect_ai, files, network or clock."""
