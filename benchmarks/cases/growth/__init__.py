"""How things grow with their number."""
