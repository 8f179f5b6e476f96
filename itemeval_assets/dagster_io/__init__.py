"""What every Dagster layer shares: how errors end steps and ticks."""
