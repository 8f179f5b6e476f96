"""Simulated studies of known truth: how often an interval holds it, how often a call errs."""
