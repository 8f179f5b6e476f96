"""The Dagster side: the asset of an experiment, and how its runs are started and waited for."""
