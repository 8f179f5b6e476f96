"""Batch mode: batches that outlive their process, and what is told of them."""
