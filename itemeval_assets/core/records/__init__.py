"""What is told of runs and results: manifests, failures, re-runs, summaries, releases."""
