"""Stores that earlier code wrote, kept as archives: they are read and continued."""
