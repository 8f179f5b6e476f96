"""Many machines: Dagster's launchers and executors, and what lies between the machines."""
