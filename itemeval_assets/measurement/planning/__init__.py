"""What certainty costs: how many items, replications and repeats of a judge find a difference."""
