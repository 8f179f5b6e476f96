"""Why a file of a user cannot be read, in words."""

from pathlib import Path


def unreadable(path: Path, error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, UnicodeDecodeError):
        return f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8"
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder; there has to be a file of that name"
    return f"cannot read {path}: {error.strerror}"
