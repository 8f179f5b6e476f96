"""Simulated studies with known truths: how often an interval holds it, and how often a call errs."""
