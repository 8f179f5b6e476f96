"""Runs the specs of a published run.

`shards` goes through them shard by shard, `run_spec` makes one outcome of one spec, `shard_store`
keeps outcomes, `fetching` finds input files, `partitions` are runs as Dagster names them.
`workers` are the processes.
"""
