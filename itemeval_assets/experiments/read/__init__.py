"""Reads what is published: versions, runs, results, comparisons."""
