"""Which uv the scripts call: the one that the Makefile has."""

import os
import shutil
import sys
from pathlib import Path

__all__ = ["found_uv"]

OWN = Path(__file__).parents[1] / ".uv" / "bin" / "uv"


def found_uv() -> str:
    """`UV` of the environment, uv on the PATH, or that of `make setup`. Exits without one."""
    found = os.environ.get("UV") or shutil.which("uv") or (str(OWN) if OWN.exists() else None)
    if found is None:
        sys.exit(f"uv is neither on the PATH nor at {OWN}: run `make setup`, or `pip install uv`")
    return found
