"""What all Dagster layers share: names, partitions, IO managers, steps, progress, failures."""
