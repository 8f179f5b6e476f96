"""Reads what is published.

`experiment`, `version` and `run` are what users hold. `summaries`, `frame_details`, `fields` and
`preview` tell people of it, `compare` and `row_changes` what differs between two runs, `counted`
how runs of other writers ended.
"""
