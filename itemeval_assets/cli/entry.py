"""The console script. An interrupt is told from here on, also while packages load."""

import sys

from itemeval_assets.host.interrupts import heeded


def main() -> None:
    """Run the command line, and exit with its code."""
    try:
        with heeded():
            # Late: it loads packages, which takes a while.
            from . import main as cli  # noqa: PLC0415

            cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("error: stopped before anything was done\n")
        sys.exit(1)
