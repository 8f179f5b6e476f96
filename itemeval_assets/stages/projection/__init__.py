"""What the pending calls of a study would cost, and how long they would take."""
