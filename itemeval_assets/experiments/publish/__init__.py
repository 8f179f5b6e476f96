"""Publishes runs: specs that are to be run, and studies that have been."""
