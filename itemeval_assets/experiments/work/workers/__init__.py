"""Runs specs: in the process of the op, or each in one of several warm processes.

`runner` chooses; `pool` and `worker` are the processes, `lookout` watches over specs that have none
of their own, `limits` is what a spec may use, `watch` what a run and who waits for it tell each
other.
"""
