"""What the processes of specs have in common."""

import sys

__all__ = ["python_path"]


def python_path() -> list[str]:
    """Where this process finds modules; what is no text, Python passes over."""
    return [place for place in sys.path if isinstance(place, str)]
