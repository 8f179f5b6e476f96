"""Writes sheets: which answers are on one, as which file, and what the ratings would bring."""
