"""The console script. An interrupt is told from here on, also while packages load."""

import os
import select
import sys
from contextlib import suppress

from itemeval_assets.host.interrupts import heeded


def main() -> None:
    """Run the command line, and exit with its code."""
    try:
        try:
            with heeded():
                # Late: it loads packages, which takes a while.
                from . import main as cli  # noqa: PLC0415

                cli.main()
        finally:
            _flush()
    except KeyboardInterrupt:
        sys.stderr.write("error: stopped before anything was done\n")
        sys.exit(1)
    except BrokenPipeError:
        unread = _unread()
        if not unread:
            raise
        _drop(unread)
        sys.exit(1)


def _flush() -> None:
    """Write what is left, here, where it can be told that nobody reads."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError):
        return  # Python tries again at the end of the process, and says why


def _unread() -> list[int]:
    """Which of standard output and error nobody reads any more, as after `| head`."""
    with suppress(AttributeError, OSError):  # Windows has no poll
        asked = select.poll()
        for place in (1, 2):
            asked.register(place, 0)
        gone = select.POLLERR | select.POLLHUP
        return [place for place, events in asked.poll(0) if events & gone]
    return []


def _drop(places: list[int]) -> None:
    """Let the end of the process write what is left to nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for place in places:
        os.dup2(nowhere, place)
