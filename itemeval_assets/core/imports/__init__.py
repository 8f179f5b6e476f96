"""Rules of taking in the results of others: which words, which conditions, which rows."""
