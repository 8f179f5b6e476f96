"""A finished study: what reads or writes the whole of it, on a disk and in a bucket."""
