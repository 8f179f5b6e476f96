"""Is a better than b on the same items: pairs, families of pairs, levels of a column."""
