"""A task of inspect_ai as the benchmark: opened, run for its solutions, and its own scores read."""
