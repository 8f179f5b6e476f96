"""What goes into an experiment and what comes out, and the function between the two."""
