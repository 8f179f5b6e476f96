"""The web UI: Dagster's pages, answered to their own origin and to programs of this machine."""
