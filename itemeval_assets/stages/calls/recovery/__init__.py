"""From logs back to rows: what killed runs have answered, and what is lost."""
