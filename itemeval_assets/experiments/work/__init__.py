"""Runs the specs of a published run, shard by shard, and gathers what they led to."""
