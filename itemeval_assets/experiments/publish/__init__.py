"""Publishes a run: specs, input files, manifest."""
