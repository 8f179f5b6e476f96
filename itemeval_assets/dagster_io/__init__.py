"""What all Dagster layers share: IO managers, steps, progress, failures; `naming` has names."""
