"""Everything that talks to inspect_ai, and the datasets library."""
