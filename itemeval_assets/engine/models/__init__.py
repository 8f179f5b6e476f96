"""Models: mock ones, those on this machine, what providers answer, and the response cache."""
