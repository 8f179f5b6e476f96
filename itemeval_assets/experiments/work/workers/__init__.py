"""Runs specs: in the process of the op, or each in one of several warm processes.

`runner` chooses; `pool` and `worker` are the processes, `lookout` and `witness` watch over specs
that have none of their own, `watch` is what a run and who waits for it tell each other, `bar` what
is seen of that.
"""
