"""Studies with every option in use, and what they have to leave behind, value by value.

A scene (`scenes`) is a study or an experiment, and what is done with it. What it leaves (tables,
ledger, manifests, logs, releases, and what the commands said) is turned into lines that no time,
run id or folder changes (`looking`, `tokens`). `expected/` has these lines as they have to be:

    .venv/bin/python -m tests.golden.write            # writes them anew, from the code as it is

A difference is a change of a contract, or of words that people read. Only what is public is used
here: the command line, the API, pandas and pyarrow.
"""
