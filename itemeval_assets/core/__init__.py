"""The pure core: rules on plain data. No Dagster, no inspect_ai, no file, no network, no clock."""
