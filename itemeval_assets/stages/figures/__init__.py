"""Figures with their certainty, estimated from the cells of a study."""
