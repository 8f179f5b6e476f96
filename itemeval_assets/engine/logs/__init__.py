"""The .eval logs: reading them, their usage, and those that broke."""
