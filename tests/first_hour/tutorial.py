"""The screens of docs/tutorial.md: each command is run where the page says, in a fresh folder.

`python -m tests.first_hour.tutorial` writes the page with its screens anew. The text between them
is written by hand.
"""

import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from itemeval_assets.cli.main import run_cli

__all__ = ["PAGE", "Reader", "commands", "without_chance"]

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
HOME = "/home/you"
# A file that the reader saves, named before its block, or commands with their screens.
BLOCK = re.compile(
    r"(?:`(?P<file>[\w.]+)`:\n\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
# Messages advise commands by their names where these are on the PATH.
PROGRAMS = Path(sys.executable).parent
TERMINAL = {"COLUMNS": "80", "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}

# A cache of earlier answers would be another screen.
PLACES = ("INSPECT_CACHE_DIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")
# When a release was made.
MOMENT, THEN = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d"), "2026-11-27_09-30-00"


def commands(page: str) -> list[str]:
    """The command lines of a page."""
    return re.findall(r"^\$ (.*)$", page, re.M)


def without_chance(page: str) -> str:
    """Without dollars: of two judgings with the same prompt one or both are paid, either first."""
    page = re.sub(r"\$[\d.]+|\d+ of them from the response cache", "$", page)
    return re.sub(r"[ ━─]+", " ", page)


class Reader:
    """Somebody who follows the page in a folder, and writes down each screen."""

    def __init__(self, folder: Path) -> None:
        self.home = self.here = folder

    def follow(self, page: str) -> str:
        """The page with the screens that its commands have now."""
        places = {name: str(self.home / ".home") for name in PLACES}
        with patch.dict(os.environ, TERMINAL | places):
            return BLOCK.sub(self._block, page)

    def _block(self, block: re.Match[str]) -> str:
        if block["file"]:
            (self.here / block["file"]).write_text(block["text"], "utf-8")
        if block["language"] != "console":
            return block[0]
        screens = "".join(map(self._screen, commands(block["text"])))
        return f"```console\n{screens}```"

    def _screen(self, line: str) -> str:
        command, _, cut = line.partition(" | ")
        lines = self._said(shlex.split(command)).splitlines()
        if cut:
            lines = _cut(lines, *cut.split())
        return "\n".join([f"$ {line}", *(one.rstrip() for one in lines)]) + "\n"

    def _said(self, words: list[str]) -> str:
        said = io.StringIO()
        with chdir(self.here), redirect_stdout(said), redirect_stderr(io.StringIO()):
            match words:
                case ["cd", folder]:
                    self.here /= folder
                case ["cat", file]:
                    print(Path(file).read_text("utf-8"))
                case ["python", script]:
                    runpy.run_path(script)
                case ["inspect", *arguments]:
                    subprocess.run([PROGRAMS / "inspect", *arguments], check=True)
                case ["itemeval-assets", *arguments]:
                    assert run_cli(arguments) == 0, words
                case _:
                    raise ValueError(f"the tutorial has a command of another kind: {words}")
        return MOMENT.sub(THEN, said.getvalue().replace(str(self.home), HOME))


def _cut(lines: list[str], program: str, word: str) -> list[str]:
    if program == "head":
        return lines[: int(word.removeprefix("-"))]
    return [line for line in lines if word in line]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Reader(Path(folder).resolve()).follow(PAGE.read_text("utf-8"))
    PAGE.write_text(made, "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
