"""The tables: their schemas, keys, notes of columns, and the keyed upsert."""
