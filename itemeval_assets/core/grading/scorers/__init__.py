"""The rules of the scorers, one file for each.

Each takes a solution and a target and gives a verdict of 1.0 or 0.0, or a code where the two
cannot be compared or the answer is unclear. None raises, and their time grows linearly with the
length of the solution. Source of the rules: contracts, Results and failures.
"""
