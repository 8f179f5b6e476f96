"""Readings of a study: its cells, results, costs, status, and what is run again."""
