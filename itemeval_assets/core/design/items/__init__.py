"""Items of a study: how a record becomes one, which are drawn, and which are other ones now."""
