"""How published experiments lie in a bucket or folder.

`keys` has the key of every object, `records` the small YAML documents, `versions` the names of
versions, `settings` say which bucket or folder, and how specs are run.
"""
