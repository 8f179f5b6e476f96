"""What goes into an experiment and what comes out: classes of specs, their index, the registry."""
