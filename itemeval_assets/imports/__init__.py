"""Results of others, taken in: what they hold (`Found`), and how it becomes ours (`take_in`)."""
