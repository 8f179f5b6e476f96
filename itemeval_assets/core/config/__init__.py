"""The YAML of a study: its sections, the rules that each must meet, how it is read."""
