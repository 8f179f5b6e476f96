"""How published experiments lie in a bucket or folder: places, documents, versions, settings."""
