"""What certainty costs in this study: from its rows, its prices and its design."""
