"""The web browser of whoever sits at this machine."""

import sys
import webbrowser
from pathlib import Path


def open_page(address: str) -> None:
    """Open a page, by its address or its path; where there is no browser, say what to open."""
    page = address if "://" in address else Path(address).resolve().as_uri()
    if not webbrowser.open(page):
        sys.stderr.write(f"note: no browser was found; open {page}\n")
