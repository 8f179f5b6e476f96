"""Runs the specs of a published run, shard by shard."""
