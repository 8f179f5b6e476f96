"""Tasks of inspect_ai: how a study names one, and what only loading it tells. Nothing is loaded."""
