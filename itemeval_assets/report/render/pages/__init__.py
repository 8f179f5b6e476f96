"""Pages of HTML: one file with everything in it, for readers and for raters."""
