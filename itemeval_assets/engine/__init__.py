"""Calls of models. The only folder that imports inspect_ai and datasets."""
