"""What loading a task tells before it runs: its steps, tools and sandbox."""
