"""Is the new one worse? PASS, FAIL or INCONCLUSIVE, and what would decide."""
