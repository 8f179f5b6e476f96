"""Scorers that are code of others: each runs in a process of its own, which the study watches."""
