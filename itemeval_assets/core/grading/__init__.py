"""From a reply to a score: deterministic scorers, replies of judges, verdicts."""
