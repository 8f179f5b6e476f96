"""What a run waits for before it may make a call."""

import time
from collections.abc import Callable

from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.engine.calls.progress import Listener, Progress


def teller_of_waits(
    listener: Listener, say: Callable[[str], None]
) -> Callable[[Partition, str], None]:
    """Tells `listener` and `say` which other run has a partition; no holder: the wait is over."""
    started = time.monotonic()

    def tell(partition: Partition, holder: str) -> None:
        key = "|".join(partition)
        waits_for = f"{key}, which run {holder} works on" if holder else ""
        say(f"waits for {waits_for}" if holder else f"goes on with {key}")
        listener(Progress(partition.stage.name, total=0, waits_for=waits_for, started=started))

    return tell
