"""Rubrics that a model has written, shown to people, and as they have changed them."""
