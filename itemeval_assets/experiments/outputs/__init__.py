"""What specs led to: rows of one shard, and the final tables of a run."""
