"""How published experiments lie in a bucket or folder."""
