"""Conditions: from the facets of a study to its crossed conditions, with their ids and labels."""
