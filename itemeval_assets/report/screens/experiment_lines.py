"""Words and lines that reports of experiments share."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from itemeval_assets.core.text.words import cut

from ..terminal import data, out

if TYPE_CHECKING:
    from itemeval_assets.experiments.read.summaries import RunSummary

# Of columns and other lists, of the fields of a failed spec, and of a text.
_SHOWN, _LEVELS, _CHARACTERS = 40, 8, 300
_COLOURS = {"complete": "green", "incomplete": "yellow", "failed": "red"}


def status_of(run: "RunSummary") -> str:
    """How a run stands, in its colour."""
    colour = _COLOURS.get(run.status)
    return f"[{colour}]{run.status}[/{colour}]" if colour else data(run.status)


def counts_of(run: "RunSummary") -> str:
    """How many specs a run has, as far as that is known."""
    if run.specs is None:
        return ""
    if run.succeeded is None:
        return f", {count_of(run.specs, 'spec')}"
    return f", {count_of(run.specs, 'spec')}, {run.succeeded} succeeded, {run.failed} failed"


def count_of(number: int, of: str) -> str:
    """A number of things: `1 row`, `2 rows`."""
    return f"{number:,} {of}{'s'[: number != 1]}"


def named(title: str, values: Mapping[str, str]) -> None:
    """Names with their texts, below a title; as many as a screen takes."""
    if values and title:
        out.print(f"{data(title)}:")
    for name, text in islice(values.items(), _SHOWN):
        out.print(data(f"  {name}  {text}"), soft_wrap=True)
    if len(values) > _SHOWN:
        out.print(f"  and {len(values) - _SHOWN:,} more: see --json")


def spec_line(row: Mapping[str, Any]) -> str:
    """Which spec a row is of, in a line."""
    shown = islice(row.items(), _LEVELS)
    return ", ".join(f"{name}={shortened(str(value))}" for name, value in shown)


def shortened(text: str) -> str:
    """A text on one line, or its beginning."""
    return cut(" ".join(text.split()), _CHARACTERS)
