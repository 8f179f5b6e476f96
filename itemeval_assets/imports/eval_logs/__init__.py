"""A folder of `.eval` logs that `inspect eval` has made, of the task that a study is of."""
