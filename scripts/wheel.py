"""Install the wheel as a stranger does, on each Python, and run what the README shows.

    python -m scripts.wheel [--python 3.11 3.12 3.13]

Prints for each Python how long the installation with the extras of the README takes, and how large
it is. Each is one of this machine. Then the README's own study is estimated, which needs its
providers and no call, and a new project runs on mock models. Needs PyPI, or a cache of what it
would load from there.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.uv import found_uv

ROOT = Path(__file__).parents[1]
EXTRAS = re.compile(r"uv tool install '\.\[([a-z,]+)\]'")
STUDY = re.compile(r"```yaml\n(study: .*?)```", re.S)
ITEMS = '{"id": "1", "question": "What is 2 + 3?", "answer": "5"}\n'
# As the Makefile has it: no Python is downloaded.
PYTHONS = {"UV_PYTHON_PREFERENCE": "only-system"}
# Nobody is called: a key has only to be there.
KEYS = {"OPENAI_API_KEY": "none", "ANTHROPIC_API_KEY": "none"}


def main() -> None:
    """Try each Python; exits with 1 at the first thing that fails, or where one was skipped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--python", nargs="+", default=["3.11", "3.12", "3.13"])
    given = parser.parse_args()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    uv = found_uv()
    [extras], [study] = set(EXTRAS.findall(readme)), STUDY.findall(readme)
    with tempfile.TemporaryDirectory() as folder:
        _run(Path(folder), uv, "build", "--quiet", "--wheel", "--out-dir", folder, str(ROOT))
        [wheel] = Path(folder).glob("*.whl")
        there = [python for python in given.python if _is_there(uv, python)]
        for python in given.python:
            if python not in there:
                print(f"Python {python}: not on this machine; skipped")
        if not there:
            sys.exit("none of these Pythons is on this machine: nothing was tried")
        for python in there:
            place = Path(folder) / python
            seconds, mb = _install(uv, place, python, f"{wheel}[{extras}]")
            _use(place, study)
            print(
                f"Python {python}: [{extras}] installed in {seconds:.0f} s, {mb:,.0f} MB; it runs"
            )
    if len(there) < len(given.python):
        sys.exit("not all of these Pythons are on this machine: the skipped ones were not tried")


def _is_there(uv: str, python: str) -> bool:
    """Whether this machine has that Python: none is downloaded."""
    asked = (uv, "python", "find", "--no-project", python)
    found = subprocess.run(asked, env={**PYTHONS, **os.environ}, capture_output=True, check=False)
    return found.returncode == 0


def _install(uv: str, place: Path, python: str, package: str) -> tuple[float, float]:
    """Into an environment of its own; how long it took, and how large it is."""
    place.mkdir()
    environment = place / "environment"
    _run(place, uv, "venv", "--quiet", "--python", python, str(environment))
    begun = time.perf_counter()
    target = ("--python", str(environment / "bin" / "python"))
    _run(place, uv, "pip", "install", "--quiet", *target, package)
    taken = time.perf_counter() - begun
    blocks = (path.lstat().st_blocks for path in environment.rglob("*"))
    # Of 512 bytes, as `du -sm` counts them.
    return taken, sum(blocks) * 512 / 2**20


def _use(place: Path, study: str) -> None:
    """The README's study is estimated; a new project runs, and has its report."""
    command = str(place / "environment" / "bin" / "itemeval-assets")
    (place / "items.jsonl").write_text(ITEMS)
    (place / "study.yaml").write_text(study)
    _run(place, command, "estimate", "study.yaml")
    _run(place, command, "init", "my_project")
    for asked in ("run", "scores", "report"):
        _run(place, command, asked, "my_project/study.yaml")


def _run(folder: Path, *command: str) -> None:
    environment = {**PYTHONS, **os.environ, **KEYS, "VIRTUAL_ENV": ""}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
