"""What a study is asked to do, as Dagster runs in this process or in several."""
