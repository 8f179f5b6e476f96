"""Commands for a shell that are right for this very installation of the package.

Not every environment has pip, or its scripts on the PATH: that of `uv tool install` has neither.
"""

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path


def how_to_install(*wanted: str) -> str:
    """What installs packages beside this Python; `wanted` may hold options of pip, too."""
    here = sys.executable
    has_pip = find_spec("pip") is not None
    program = [here, "-m", "pip", "install"] if has_pip else ["uv", "pip", "install"]
    target = [] if has_pip else ["--python", here]
    return shlex.join([*program, *target, *wanted])


def how_to_call(script: str, *arguments: str) -> str:
    """What calls a script of this installation: by its name where that finds it, else its path."""
    return shlex.join([_known_as(script), *arguments])


def _known_as(script: str) -> str:
    here = Path(sys.executable).parent / script
    found = shutil.which(script)
    if not here.exists() or (found and Path(found).resolve() == here.resolve()):
        return script
    relative = os.path.relpath(here)
    return relative if os.sep in relative and len(relative) < len(str(here)) else str(here)
