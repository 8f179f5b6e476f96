"""Tables of any values: which type holds a column, and whole files of them."""
