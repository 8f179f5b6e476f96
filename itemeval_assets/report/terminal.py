"""The terminal: where things are printed, progress, consent, and what stands in for a table."""

import json
import math
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.prompt import Confirm

from itemeval_assets.core.errors import ConsentMissing
from itemeval_assets.core.text.words import dollars, printable
from itemeval_assets.host.installation import how_to_call

if TYPE_CHECKING:
    from itemeval_assets.engine.calls.progress import Progress

# The locks tell of a wait each minute.
_SECONDS_BETWEEN_LINES = 59.0

# `[...]` is markup, and nothing else is: no `:word:` becomes a picture.
out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)


def data(value: object) -> str:
    """What comes from a study, a model or a file, to be printed as it is: `[red]` is no colour."""
    text = printable(str(value))
    body = text.rstrip("\\")
    last = len(text) - len(body)
    # rich reads two backslashes as one before a tag, and nowhere else.
    return escape(body) + ("\\" * 2 * last + "[none][/none]" if last else "")


def command(*arguments: str) -> str:
    """A command of ours that can be run as it is printed."""
    return data(how_to_call("itemeval-assets", *arguments))


def paragraph(text: str) -> None:
    """A text that breaks at spaces at the width of the terminal: paths stay in one piece."""
    for line in printable(text).splitlines():
        shown = line
        if len(line.split()) > len(("Log:", "path")):
            shown = textwrap.fill(line, out.width, break_long_words=False, break_on_hyphens=False)
        out.print(data(shown), soft_wrap=True)


def problem(message: str) -> None:
    """An error, on standard error, as plain text: paths in it stay in one piece."""
    sys.stderr.write(f"error: {printable(message)}\n")


def remark(message: str) -> None:
    """Why a command takes its time, on standard error."""
    sys.stderr.write(f"{printable(message)}\n")


def print_result(as_json: bool, result: Any, show: Callable[[Any], None]) -> None:
    """A result as one JSON document, or as `show` prints it."""
    if as_json:
        sys.stdout.write(json.dumps(jsonable(result), indent=2) + "\n")
    else:
        show(result)


def ask_consent(refusal: ConsentMissing) -> float | None:
    """The USD that a person at this terminal agrees to spend; None without a person or a yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    lines = str(refusal).splitlines()
    # The last one says what to do for whoever cannot be asked.
    err.print(data("\n".join(lines[:-1] or lines)), soft_wrap=True)
    # Without a price there is no amount to agree to.
    projected = refusal.facts.get("projected_usd", 0.0) if "allowed_usd" in refusal.facts else None
    amount = "an unknown amount" if projected is None else f"up to {dollars(projected)}"
    agrees = Confirm.ask(f"Spend {amount}?", console=err, default=False)
    if not agrees:
        return None
    return math.inf if projected is None else projected * (1 + 1e-9)


@contextmanager
def progress_bar(
    hidden: bool, warned: list[str] | None = None
) -> "Iterator[Callable[[Progress], None]]":
    """A bar per stage with counts, rate, cost and time left; on standard error.

    Warnings and waits for another run are told in lines, also where no bars are to be seen.
    Each warning that is told goes to `warned`.
    """
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
    )
    bars = Bars(*columns, console=err, disable=hidden, redirect_stdout=False)
    tasks: dict[int, TaskID] = {}
    tell_of_wait = wait_lines(lambda line: err.print(data(line), soft_wrap=True))

    def show(progress: "Progress") -> None:
        tell_of_wait(progress.waits_for)
        for warning in progress.warnings:
            err.print(f"[yellow]![/yellow] {data(warning)}", soft_wrap=True)
            if warned is not None:
                warned.append(warning)
        if not progress.total:
            return
        if id(progress) not in tasks:
            bars.start()
            tasks[id(progress)] = bars.add_task(progress.stage, facts="")
        bars.update(
            tasks[id(progress)],
            total=progress.total,
            completed=progress.done,
            facts=_facts(progress),
        )

    try:
        yield show
    finally:
        if tasks:
            bars.stop()


def wait_lines(say: Callable[[str], None]) -> Callable[[str], None]:
    """Says for whom a run waits: once, again after a minute, and when it continues."""
    told, when = "", 0.0

    def tell(waits_for: str) -> None:
        nonlocal told, when
        now = time.monotonic()
        if waits_for and (waits_for != told or now - when >= _SECONDS_BETWEEN_LINES):
            say(f"waits for {waits_for}")
            when = now
        elif told and not waits_for:
            say("continues")
        told = waits_for

    return tell


def _facts(progress: "Progress") -> str:
    left = f"{progress.left_s:.0f} s left" if progress.left_s is not None else ""
    facts = [f"{progress.rate_per_s:.1f}/s", dollars(progress.usd), left]
    if progress.errored:
        facts.append(f"[red]{progress.errored} errored[/red]")
    if progress.retries:
        facts.append(f"[yellow]{progress.retries} retries[/yellow]")
    if progress.waiting:
        facts.append(f"[yellow]{data(progress.waiting)}[/yellow]")
    facts.append(data(progress.flight()))
    return "  ".join(fact for fact in facts if fact)


def jsonable(value: Any) -> Any:
    """A result as JSON can hold it."""
    if is_dataclass(value) and not isinstance(value, type):
        untold = getattr(value, "untold", ())
        value = {
            field.name: None if field.name in untold else getattr(value, field.name)
            for field in fields(value)
        }
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
