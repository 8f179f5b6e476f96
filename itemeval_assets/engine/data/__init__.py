"""Benchmarks: items from data sets and from files."""
