"""The assets of a study."""
