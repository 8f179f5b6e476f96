"""Benchmarks: each prints its figures, and how they stand to their targets."""
