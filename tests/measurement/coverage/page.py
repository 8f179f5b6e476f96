"""The page of what intervals reach."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Reached", "page", "write"]

LEAST, MOST, ERRORS = 0.93, 0.97, 0.05
MARKS = ("<!-- figures -->\n", "<!-- end of figures -->\n")


@dataclass(frozen=True)
class Reached:
    """A share of studies whose claim was right, or, where it `errs`, a false call.

    `target`: what was promised, to be met by `within`; `at_least`: what is to be reached, less two
    Monte Carlo standard errors. `is_mean`: a mean of numbers, for information.
    """

    section: str
    row: str
    column: str
    share: float
    studies: int
    errs: bool
    warning: str
    target: float | None = None
    within: float = 0.0
    at_least: float | None = None
    is_mean: bool = False

    @property
    def is_right(self) -> bool:
        """Whether it is what it should be. A corner is what it is."""
        if self.warning:
            return True
        if self.is_mean:
            return True
        if self.at_least is not None:
            error = (self.at_least * (1 - self.at_least) / self.studies) ** 0.5
            return self.share >= self.at_least - 2 * error
        if self.target is not None:
            return abs(self.share - self.target) <= self.within
        if self.errs:
            return self.share <= ERRORS + 2 * (ERRORS * (1 - ERRORS) / self.studies) ** 0.5
        return LEAST <= self.share <= MOST


def page(found: list[Reached], studies: int) -> str:
    """All tables as Markdown."""
    sections = dict.fromkeys(one.section for one in found)
    parts = [_section(name, [one for one in found if one.section == name]) for name in sections]
    return (
        f"{studies:,} simulated studies a figure where no other number is named, seeds fixed.\n\n"
        + "\n".join(parts)
    )


def _section(name: str, found: list[Reached]) -> str:
    return "\n".join([f"## {name}\n", *_table(found), ""])


def _table(found: list[Reached]) -> Iterator[str]:
    columns = list(dict.fromkeys(one.column for one in found))
    warned = any(one.warning for one in found)
    heading = ["studies", *columns, *(["users are told"] if warned else [])]
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in dict.fromkeys(one.row for one in found):
        cells = {one.column: one for one in found if one.row == row}
        shown = [_shown(cells.get(column)) for column in columns]
        warning = [next(iter(cells.values())).warning] if warned else []
        yield f"| {' | '.join([row, *shown, *warning])} |"


def _shown(one: Reached | None) -> str:
    if one is None:
        return ""
    if one.is_mean:
        return f"{one.share:.2f}"
    figure = f"{100 * one.share:.1f} %"
    return figure if one.is_right else f"**{figure}**"


def write(path: Path, text: str) -> None:
    """Put the tables between the marks of the page."""
    before, rest = path.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    path.write_text(f"{before}{MARKS[0]}{text}{MARKS[1]}{after}", encoding="utf-8")
