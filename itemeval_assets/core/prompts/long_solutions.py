"""Solutions that are too long for a judge: it is shown their beginning, and where they were cut."""


def cut_mark(most: int) -> str:
    """What stands in the place of the rest."""
    return f"\n\n[The solution goes on. Only its first {most:,} characters are shown here.]"


def shown(solution: str | None, most: int | None) -> str | None:
    """A solution as a judge is shown it. `most`: the most characters of it; null: no limit."""
    if solution is None or most is None or len(solution) <= most:
        return solution
    return solution[:most] + cut_mark(most)


def not_shown(solution: str | None, most: int | None) -> int | None:
    """How many characters of a solution a judge is not shown; null where it is shown all."""
    left = 0 if most is None else len(solution or "") - most
    return left if left > 0 else None
