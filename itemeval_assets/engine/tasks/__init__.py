"""Tasks of inspect_ai: loaded, run as they are, and what their logs say."""
