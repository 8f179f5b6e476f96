"""The design of a study: conditions, items, partitions, cells, and which cells are pending."""
