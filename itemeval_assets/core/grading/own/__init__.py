"""Types of own scorers: the sections of `scorers:`, one file for each.

Those with rules of ours grade here, and none of them raises. Those that name code of others say
only what it is: it runs in a process of its own, which the engine starts.
"""
