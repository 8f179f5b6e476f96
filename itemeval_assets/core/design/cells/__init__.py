"""Cells of a design: which a partition has, in which state each is, and which are pending."""
