"""What the logs of tasks say: rows, scores, usage and its price."""
