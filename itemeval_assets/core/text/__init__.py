"""Texts: strict YAML and JSON, secrets taken out of them, how a text is cut and written down."""
