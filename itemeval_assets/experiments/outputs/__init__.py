"""What specs led to, from what a function returned to the final tables of a run."""
