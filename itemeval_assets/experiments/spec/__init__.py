"""What goes into an experiment and what comes out.

`models` are the classes of users' specs, `files` their fields of files, `function` is what runs on
them, with its `signature`, `limits` and `io_schema`. `index` says which values identify a row,
`transport` takes specs to other processes, `values` and `field_forms` know what can be stored.
"""
