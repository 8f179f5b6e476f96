"""Workers of pytest-xdist that are forks, too: each would load the same packages for ten seconds.

In the long form, and with TESTS_INTERPRETERS, they are interpreters, as pytest-xdist starts them.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from execnet import gateway_io
from execnet.gateway_base import Popen2IO

from tests.forks import Forked

__all__ = ["fork_workers_of_pytest"]

_Started = gateway_io.Popen2IOMaster


class _ForkedIO(_Started):
    """Talks with a worker by the pipes of its standard input and output."""

    def __init__(self, args: Sequence[str], execmodel: Any) -> None:
        theirs, ours = os.pipe()
        said, told = os.pipe()
        self.popen = Forked(
            f"{__name__}:main", [], files={0: theirs, 1: told, 2: 2}, environment=os.environ
        )
        for end in (theirs, told):
            os.close(end)
        Popen2IO.__init__(self, os.fdopen(ours, "wb"), os.fdopen(said, "rb"), execmodel)


def fork_workers_of_pytest() -> None:
    if not {"TEST_LONG", "TESTS_INTERPRETERS"} & os.environ.keys():
        gateway_io.Popen2IOMaster = _ForkedIO


def main() -> None:
    """What an interpreter does that execnet starts: the first line says all."""
    from tests.loaded import undo

    undo()
    exec(eval(sys.stdin.readline()), {"__name__": "__main__"})
