"""What specs led to.

`frame_rows` and `scalars` take in what a function returned, `outcomes` hold it, `shard_output`
stores those of a shard. `survey` finds the final tables of a run, `tables` their rows, `gather`
writes them.
"""
