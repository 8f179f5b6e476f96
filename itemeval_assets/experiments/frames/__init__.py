"""Tables of any values.

`kinds` say which type holds the values of a column, `kinds_of_values` look at the values, `columns`
builds it, `pandas_schema` lets pandas read it back. `reading` and `writing` are about whole files,
`specs_table` about that of the specs.
"""
