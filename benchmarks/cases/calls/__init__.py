"""Calls: what is added to them, and how many are made."""
