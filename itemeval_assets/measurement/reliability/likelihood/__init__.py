"""Restricted maximum likelihood, where cells are missing."""
