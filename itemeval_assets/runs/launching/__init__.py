"""How Dagster runs are started: in this process, or in several that share the partitions."""
