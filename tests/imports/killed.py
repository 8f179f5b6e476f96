"""An import whose process dies at its n-th write: `killed.py <source> <config> <n>`."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import itemeval_assets as ie
from itemeval_assets.storage.objects.disk import LocalBackend

WRITES = ("update", "write", "upload", "move", "delete")


def main(source: str, config: str, last: int) -> None:
    count = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def written(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return write(*args, **options)

        return written

    for name in WRITES:
        setattr(LocalBackend, name, counted(getattr(LocalBackend, name)))
    ie.import_results(source, config)
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
