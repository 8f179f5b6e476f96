"""How Dagster calls things: asset keys, partition keys that people can read, tags of runs."""
