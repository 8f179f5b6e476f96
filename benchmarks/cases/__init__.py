"""What is measured: one module for each benchmark, which prints its targets as JSON."""
