"""Where each column of gradings_long is taken from: {its name there: its name in the source}."""

from .schemas import GRADINGS, GRADINGS_LONG


def _in_gradings(name: str) -> str:
    """What a column would be called in gradings, where calls of judges need no `grade_`."""
    if name in GRADINGS.column_names:
        return name
    return "epoch" if name == "replication" else name.removeprefix("grade_")


FROM_GRADINGS = {
    name: _in_gradings(name)
    for name in GRADINGS_LONG.column_names
    if _in_gradings(name) in GRADINGS.column_names
}
FROM_SOLUTIONS = {
    name: name.removeprefix("gen_")
    for name in GRADINGS_LONG.column_names
    if name not in FROM_GRADINGS
}
