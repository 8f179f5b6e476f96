"""A study of itemeval 0.1 or 0.2: tables of one file each, and a log for each run and condition."""
