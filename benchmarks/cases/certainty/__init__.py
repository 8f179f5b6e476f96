"""Estimates, and the figures of a study."""
