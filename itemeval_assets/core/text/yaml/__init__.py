"""YAML of users: read as plain data, and what a slip in it probably means."""
