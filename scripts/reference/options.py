"""docs/options.md: every command with its arguments and options, as the command line has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from itemeval_assets.cli.main import app
from tests.guard.points import words

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
HEAD = """\
# All commands and options

`python -m scripts.reference` makes this page from the command line itself, and
`itemeval-assets COMMAND --help` shows the same in a terminal.
[Commands and Python API](commands.md) says which function of Python does the same, what exit codes
mean, and how conditions are chosen.
"""


def page() -> str:
    """The page as it has to be."""
    return HEAD + "".join(_section(*found) for found in _commands(typer.main.get_command(app), ()))


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield " ".join(path), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


def _section(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = ["[OPTIONS]"] if len(arguments) < len(command.params) else []
    usage = " ".join(["itemeval-assets", name, *map(_argument, arguments), *options])
    text = " ".join(command.help.split())
    rows = "".join(map(_row, command.params))
    table = f"\n| option | meaning | default |\n|---|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n`{usage}`\n\n{text}\n{table}"


def _argument(argument: Any) -> str:
    shown = argument.name.upper() + ("..." if argument.nargs < 0 else "")
    return shown if argument.required else f"[{shown}]"


def _row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts) if is_option else parameter.name.upper()
    annotation = parameter.type_descriptor.annotation
    choices = ", ".join(f"`{word}`" for word in words(annotation))
    again = "; may be repeated" if parameter.multiple else ""
    meaning = (parameter.help or "") + (f": {choices}" if choices else "") + again
    return f"| `{name}` | {meaning.replace('|', chr(92) + '|')} | {_default(parameter)} |\n"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    return f"`{getattr(default, 'value', default)}`" if default not in (None, False, []) else ""
