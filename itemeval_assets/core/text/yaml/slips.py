"""What a slip in a YAML file probably is, where the parser names only what it met after it."""

import re
from collections.abc import Callable
from typing import NamedTuple

import yaml

# A key and its value without the blank between them.
_NO_BLANK = re.compile(r"\s*(?:- )?[A-Za-z_][\w-]*:[^\s:/]")
_DASH = re.compile(r"\s*-[^\s-]")
_COLON = re.compile(r":\s")
_VARIABLE = re.compile(r"\$\{\w*")
# As Git marks both versions of what it could not merge.
_OF_MERGE = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)")


class _Met(NamedTuple):
    """Where the parser stopped, and where what it was reading had begun; lines count from 0."""

    lines: list[str]
    line: int
    column: int
    begun: int

    @property
    def before(self) -> str:
        """The line up to the place."""
        return self.at(self.line)[: self.column]

    @property
    def above(self) -> int | None:
        """The last line above that is neither blank nor a comment."""
        places = range(min(self.line, len(self.lines)) - 1, -1, -1)
        return next((n for n in places if self.at(n).strip("\ufeff ")[:1] not in ("", "#")), None)

    def at(self, place: int) -> str:
        return self.lines[place] if place < len(self.lines) else ""

    def lacks_blank(self, place: int | None) -> bool:
        return place is not None and _NO_BLANK.match(self.at(place)) is not None


def slip_of(error: yaml.MarkedYAMLError) -> str | None:
    """The slip in plain words, with the number of its line; None where nothing is known."""
    mark, said = error.problem_mark, f"{error.context}: {error.problem}"
    if mark is None:
        return None
    begun = error.context_mark.line if error.context_mark else mark.line
    met = _Met(_lines_of(mark), mark.line, mark.column, begun)
    if marked := next((n for n, line in enumerate(met.lines, 1) if _OF_MERGE.match(line)), None):
        return (
            f"line {marked} holds the mark of a merge that is not finished: decide between both "
            "versions, and remove the marks"
        )
    told = next((told for pattern, told in _SLIPS if re.search(pattern, said)), None)
    if told is None:
        return None
    text = told if isinstance(told, str) else told(met)
    return text.format(here=met.line + 1, begun=met.begun + 1, above=(met.above or 0) + 1)


def _no_key(met: _Met) -> str:
    if met.lacks_blank(met.begun):
        return "line {begun} lacks a blank after its colon"
    if _DASH.match(met.at(met.begun)):
        return "line {begun} lacks a blank after its dash"
    return "line {begun} has no colon: write `key: value`"


def _no_first_key(met: _Met) -> str:
    if met.lacks_blank(met.above):
        return "line {above} lacks a blank after its colon"
    return "the lines above line {here} are no `key: value`"


def _second_colon(met: _Met) -> str:
    """A colon stands where no key can be: after a value, or the line above has the slip."""
    if _COLON.search(met.before):
        return "a value in line {here} holds a colon: put quotes around the value"
    if met.lacks_blank(met.above):
        return "line {above} lacks a blank after its colon"
    return (
        "line {here} is indented deeper than line {above}, which has a value already: begin it "
        "below the first letter of that line"
    )


def _no_end_of_bracket(met: _Met) -> str:
    if _VARIABLE.search(met.at(met.line)):
        return (
            "line {here} names an environment variable, and none is filled in: write the value "
            "itself"
        )
    return "the bracket of line {begun} is not closed, or a comma is missing in it"


def _no_end_of_block(met: _Met) -> str:
    if met.before.strip():
        return "text follows a closing quotation mark in line {here}: put quotes around all of it"
    return (
        "the indentation of line {here} fits no line above it: begin it below the first letter of "
        "the line that it goes with"
    )


def _lines_of(mark: yaml.Mark) -> list[str]:
    """The lines of the text, where the parser has it still."""
    return re.split("\r\n?|\n", mark.buffer.rstrip("\0")) if mark.buffer else []


# By what the parser says, with what it was doing before the colon. The first that fits is told.
_SLIPS: list[tuple[str, str | Callable[[_Met], str]]] = [
    ("mapping values are not allowed", _second_colon),
    ("could not find expected ':'", _no_key),
    ("expected '<document start>'", _no_first_key),
    ("quoted scalar: .*end of", "the quotation mark of line {begun} is never closed"),
    ("a flow ", _no_end_of_bracket),
    # A value begins with a sign that means something to YAML, as in *.csv, @name, !x.
    (
        "cannot start any token|an (alias|anchor):|undefined alias|for the tag",
        "put quotes around the value in line {here}",
    ),
    (
        "unknown escape|expected escape sequence",
        "line {here} has a backslash in double quotes, where it means another character: write "
        "the value in '...', or a path with / in place of \\",
    ),
    ("another document", "line {here} begins a second document: remove the line `---`"),
    (r"found '[\]},]'", "line {here} has a closing bracket, or a comma, too many"),
    ("<block end>", _no_end_of_block),
]
