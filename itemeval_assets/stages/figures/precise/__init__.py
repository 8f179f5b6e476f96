"""Whether the intervals of a study are as narrow as `precision` asks."""
