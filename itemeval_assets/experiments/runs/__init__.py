"""The Dagster side.

`assets` are the asset, check and job of an experiment. `launch` starts a run in a thread, `execute`
runs its job, `refs` are how users wait for it, `messages` what Dagster shows of it.
"""
